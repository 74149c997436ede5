"""The stages of the pipeline, one script each; `dvc repro` runs them."""

from lookbook.foundation.arithmetic import settle
from lookbook.foundation.processes import end_with_parent, say_interrupts_in_a_line

settle()
say_interrupts_in_a_line()
end_with_parent()

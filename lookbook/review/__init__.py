"""Which labels are doubtful: found, shown to a person, and what the person decided checked.

In come the splits with the features of a frozen base; out comes one page of suspects, outliers and
near-blank pictures. In comes the patch that the page saves; out come rows of data/labels.
"""

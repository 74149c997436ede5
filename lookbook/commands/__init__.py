"""The commands of `lookbook`: one file each, thin: arguments in, words out."""

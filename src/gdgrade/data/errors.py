"""The one exception of this package."""


class DataError(Exception):
    """A data set is missing, damaged or cannot be downloaded. The message says what to do about it."""

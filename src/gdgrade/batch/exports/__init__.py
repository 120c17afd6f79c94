"""Grades in the formats of other programs.

tables       CSV per exercise and per check, JSON Lines, Parquet
sheets       CSV files of others, read and written back byte for byte but for the cells that are filled
moodle       offline grading worksheet in place, file for "Import grades"
canvas       gradebook CSV in place
gradescope   results.json, and the zip of an autograder
"""

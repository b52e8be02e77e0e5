"""Small helpers of the course: plots, graphs, widgets, data.

Lesson code (a model, a training loop) never stands here: it stands in the
lesson. Importing this package loads nothing; import what you use.
"""

"""The process runtime: a pod is a group of processes on a loopback address, an image is a virtual environment."""

import os

# A picture of a few bytes can say that it is a gigapixel. OpenCV reads the limit once, when it is first imported, and
# its own is 2**30 pixels, which are 3 GB: more than a small machine has. No camera has 2**27.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(2**27))

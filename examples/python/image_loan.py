"""Zero copies: an image of 8 MB is drawn straight into shared memory, and looked at where it lies. Needs numpy.

    image_loan.py [FRAMES]
"""

import sys
import threading

import numpy

import beltway

SHAPE = (1080, 1920, 4)


def render(image, frame):
    """Stands for a camera or a renderer: fills the memory that it is given."""
    image[:] = (numpy.arange(SHAPE[0]) + frame).astype("u1")[:, None, None]


def is_frame(image, frame):
    return image[0, 0, 0] == frame % 256 and image[-1, -1, -1] == (SHAPE[0] - 1 + frame) % 256


def draw(camera, frames):
    with camera:
        for frame in range(frames):
            with camera.lend(int(numpy.prod(SHAPE))) as view:  # waits while the lane is full
                # No name for the array: at the end of the block nothing may refer to the memory any more.
                render(numpy.frombuffer(view, "u1").reshape(SHAPE), frame)


def main(frames):
    with beltway.connect() as link:
        # A producer's lane holds the large messages: here three images, so that drawing and looking overlap.
        images = link.declare("images", slots=8, lane_bytes=32 << 20, max_producers=1)
        viewer = images.consumer()
        drawing = threading.Thread(target=draw, args=(images.producer(), frames))
        drawing.start()
        good = 0
        for frame, message in enumerate(viewer):
            image = numpy.frombuffer(message, "u1").reshape(SHAPE)  # holds the message as long as it lives
            good += bool(is_frame(image, frame))
        drawing.join()
        print(f"{good} of {frames} images arrived as drawn")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)

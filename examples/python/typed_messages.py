"""Typed messages: numpy's structured arrays go out and come in by one call, an element a message. The queue knows the
name, the size and the alignment of the type, so a C++ program with such a struct and this name shares the queue. Needs
numpy."""

import numpy

import beltway

ORDER = numpy.dtype([("id", "<u8"), ("price", "<f8")], align=True)
TYPE = ("guide.Order.1", ORDER.itemsize, ORDER.alignment)

with beltway.connect() as link:
    orders = link.declare("typed", groups=["billing"], type=TYPE)
    sent = numpy.zeros(100, ORDER)
    sent["id"] = numpy.arange(1, 101)
    sent["price"] = 9.5
    print(orders.producer().publish_array(sent), "orders published")
    found = orders.consumer(group="billing").receive_array(ORDER, 1000)
    print(f"{len(found)} orders received, the last is {found['id'][-1]}, all cost {found['price'].sum()}")

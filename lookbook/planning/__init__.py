"""What more photos would bring: learning curves, and the power law that they follow.

In come the training and validation splits and the parameters of a network; out comes its accuracy
on growing shares of the training pictures, and what twice or four times as many would bring.
"""

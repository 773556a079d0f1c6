RATES = {"EUR": 1.0}


def rate(currency):
    return RATES[currency]

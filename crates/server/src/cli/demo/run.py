"""The shop's daily report, as it runs in production."""
import flawless
from flawless.client.decorators import wrap_function
from shop.report import daily_report

# The address of the server is in the environment: FLAWLESS_DSN.
flawless.init(environment="production", hostname="web-01.example.com")

wrap_function(daily_report)(orders=[])

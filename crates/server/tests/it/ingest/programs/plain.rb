# Fails, and reports it.
require "sentry-ruby"
require_relative "shop/cart"

Sentry.init { |config| config.dsn = ENV["DSN"]; config.background_worker_threads = 0 }
begin
  Cart.total([])
rescue ZeroDivisionError => error
  Sentry.capture_exception(error)
end

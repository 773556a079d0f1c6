// Calls what throws on purpose: who called it is to blame.
const Sentry = require("@sentry/node");

Sentry.init({ dsn: process.env.DSN });
const { find } = require("./shop/cart");

find({}, "A-1");

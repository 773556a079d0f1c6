// Fails, and Rollbar's notifier says so.
const Rollbar = require('rollbar');
const { total } = require('./shop/cart.js');

const rollbar = new Rollbar({
  accessToken: process.env.KEY, environment: 'production', endpoint: `http://${process.env.HOST}/api/1/item/`,
  codeVersion: process.env.REVISION,
});
try {
  total(undefined);
} catch (error) {
  rollbar.error(error, () => {});
}

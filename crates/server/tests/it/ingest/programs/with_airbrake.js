// Fails, and Airbrake's notifier says so.
const { Notifier } = require('@airbrake/node');
const { total } = require('./shop/cart.js');

const notifier = new Notifier({
  projectId: 1, projectKey: process.env.KEY, host: `http://${process.env.HOST}`, environment: 'production',
  remoteConfig: false, performanceStats: false, queryStats: false,
});
try {
  total(undefined);
} catch (error) {
  notifier.notify({ error, context: { version: process.env.REVISION } }).then((sent) => console.log(sent.id || sent.error));
}

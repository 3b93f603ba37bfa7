// A gRPC health service by hand over node's HTTP/2 in cleartext. Arguments: what to answer, and padding for the fields.
'use strict';
const http2 = require('http2');
const [serving, many] = [process.argv[2], process.argv[3] === 'many'];

const numbers = { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2 };
const server = http2.createServer();
server.on('stream', (stream, fields) => {
  const parts = [];
  stream.on('data', part => parts.push(part));
  stream.on('end', () => {
    const message = Buffer.concat(parts);
    const service = message.subarray(7).toString();
    const isOurs = fields[':path'] === '/grpc.health.v1.Health/Check' && fields.te === 'trailers';
    const status = !isOurs ? 12 : service === 'no.such.Service' ? 5 : 0;
    const head = { ':status': 200, 'content-type': 'application/grpc', date: 'Mon, 21 Oct 2013 20:13:21 GMT' };
    if (many)
      for (let n = 0; n < 60; n++)
        head[`x-${n}`] = String.fromCharCode(...Array.from({ length: 90 }, (_, at) => 33 + (at + n) % 94));
    if (status !== 0) {
      head['grpc-status'] = `${status}`;
      stream.respond(head, { endStream: true });
      return;
    }
    stream.respond(head, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'grpc-message': '' }));
    stream.end(Buffer.from([0, 0, 0, 0, 2, 8, numbers[serving]]));
  });
});
server.on('session', session => session.ping(Buffer.from('12345678'), () => {}));
server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));

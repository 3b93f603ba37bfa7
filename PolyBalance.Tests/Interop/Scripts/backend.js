// A backend under the control of the tests. Arguments: its name, and how long it keeps an idle connection (ms).
// Paths that begin with /-/ come from the test itself, past the gateway: they command and ask, and are not counted.
'use strict';
const http = require('node:http');
const crypto = require('node:crypto');

const [name, keepAlive] = process.argv.slice(2);
const content = 'every byte of this line comes from node; '.repeat(50);
const held = new Set();
const streams = new Set();
let requests = 0;
let aborts = 0;
let event = 0;
let waiting = [];

// Answers the test as soon as a condition holds.
function answerWhen(response, condition) {
    waiting.push({ response, condition });
    changed();
}

function changed() {
    waiting = waiting.filter(({ response, condition }) => {
        if (!condition()) return true;
        response.end('yes');
        return false;
    });
}

function command(what, count, response) {
    switch (what) {
        case 'requests': return response.end(String(requests));
        case 'held': return answerWhen(response, () => held.size >= count);
        case 'aborts': return answerWhen(response, () => aborts >= count);
        case 'release':
            for (const one of held) one.end('released');
            held.clear();
            return response.end('yes');
        case 'event':
            event++;
            for (const one of streams) one.write(`id: ${event}\ndata: event ${event}\n\n`);
            return response.end('yes');
        case 'events-end':
            for (const one of streams) one.end();
            streams.clear();
            return response.end('yes');
        default:
            response.statusCode = 404;
            return response.end();
    }
}

// What arrived, described, once all of it has.
function echo(request, response) {
    const hash = crypto.createHash('sha256');
    let length = 0;
    request.on('data', (bytes) => { hash.update(bytes); length += bytes.length; });
    request.on('end', () => {
        const body = JSON.stringify({
            method: request.method, target: request.url, version: request.httpVersion, fields: request.headers,
            trailers: request.trailers, length, sha256: hash.digest('hex'),
        });
        response.setHeader('Content-Type', 'application/json');
        response.setHeader('Content-Length', Buffer.byteLength(body));
        response.end(body);
    });
}

const answers = {
    '/echo': echo,
    '/mirror': (request, response) => request.pipe(response),
    '/chunked': (request, response) => {
        request.resume();
        response.write(content);
        response.end(content);
    },
    '/trailer': (request, response) => {
        request.resume();
        response.writeHead(200, { Trailer: 'X-Checksum' });
        response.write(content);
        response.addTrailers({ 'X-Checksum': crypto.createHash('sha256').update(content).digest('hex') });
        response.end();
    },
    '/early-hints': (request, response) => {
        request.resume();
        response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' }, () => response.end('hinted'));
    },
    '/hold': (request, response) => {
        request.resume();
        held.add(response);
        response.on('close', () => held.delete(response));
        changed();
    },
    '/events': (request, response) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
        response.flushHeaders();
        streams.add(response);
        response.on('close', () => streams.delete(response));
    },
};

const server = http.createServer((request, response) => {
    const [path, query] = request.url.split('?');
    if (path.startsWith('/-/')) return command(path.slice(3), Number(query), response);

    requests++;
    response.setHeader('X-Backend', name);
    response.on('close', () => {
        if (response.writableFinished) return;
        aborts++;
        changed();
    });
    request.on('error', () => {});
    return (answers[path.replace(/^\/app/, '')] ?? echo)(request, response);
});

// Refuses before it has seen any of the body, where it is asked to; else asks for the body.
server.on('checkContinue', (request, response) => {
    if (request.url.startsWith('/refuse')) {
        requests++;
        response.writeHead(401, { 'X-Backend': name, 'Content-Length': 0 });
        return response.end();
    }
    response.writeContinue();
    return server.emit('request', request, response);
});

// WebSocket by hand, RFC 6455: echoes text and binary frames, answers ping and close.
server.on('upgrade', (request, socket, head) => {
    requests++;
    const accept = crypto.createHash('sha1')
        .update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
        + `Sec-WebSocket-Accept: ${accept}\r\nX-Backend: ${name}\r\n\r\n`);
    let pieces = [head];
    let arrived = head.length;
    let needed = 2;
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('data', (bytes) => {
        pieces.push(bytes);
        arrived += bytes.length;
        if (arrived < needed) return;
        let buffer = Buffer.concat(pieces);
        for (;;) {
            const frame = parse(buffer);
            needed = frame.needed;
            if (!frame.content) break;
            buffer = buffer.subarray(frame.needed);
            answer(socket, frame);
        }
        pieces = [buffer];
        arrived = buffer.length;
    });
});

// The frame at the front of a buffer, or how many bytes it needs at least.
function parse(buffer) {
    if (buffer.length < 2) return { needed: 2 };
    const short = buffer[1] & 0x7f;
    const headLength = 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + 4;
    if (buffer.length < headLength) return { needed: headLength };
    const length = short === 126 ? buffer.readUInt16BE(2) : short === 127 ? Number(buffer.readBigUInt64BE(2)) : short;
    const needed = headLength + length;
    if (buffer.length < needed) return { needed };
    const mask = buffer.subarray(headLength - 4, headLength);
    const content = Buffer.from(buffer.subarray(headLength, needed));
    for (let i = 0; i < content.length; i++) content[i] ^= mask[i & 3];
    return { needed, first: buffer[0], content };
}

function answer(socket, { first, content }) {
    const isProbe = (first & 0x0f) === 9;
    const length = content.length;
    const head = Buffer.alloc(length < 126 ? 2 : length < 65536 ? 4 : 10);
    head[0] = isProbe ? 0x8a : first;
    head[1] = length < 126 ? length : length < 65536 ? 126 : 127;
    if (head.length === 4) head.writeUInt16BE(length, 2);
    if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
    socket.write(head);
    socket.write(content);
    if ((first & 0x0f) === 8) socket.end();
}

server.keepAliveTimeout = Number(keepAlive);
server.requestTimeout = 0;
server.headersTimeout = 0;
server.listen(0, '127.0.0.1', 1024, () => console.log(`listening ${server.address().port}`));

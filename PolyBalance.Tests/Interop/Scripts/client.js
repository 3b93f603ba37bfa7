// Node's HTTP clients. Arguments: what to do, host, port. Prints `ok` at the end, or what went wrong.
'use strict';
const http = require('node:http');
const crypto = require('node:crypto');
const assert = require('node:assert');

const [what, host, port] = process.argv.slice(2);
const block = crypto.randomBytes(64 * 1024);

function read(response) {
    return new Promise((resolve, reject) => {
        const pieces = [];
        response.on('data', (bytes) => pieces.push(bytes));
        response.on('end', () => resolve(Buffer.concat(pieces)));
        response.on('error', reject);
    });
}

function get(agent, path) {
    return new Promise((resolve, reject) => {
        http.get({ host, port, path, agent }, (response) => resolve(read(response))).on('error', reject);
    });
}

const doings = {
    // 200 requests at once, five times, over connections that are kept.
    async agent() {
        const agent = new http.Agent({ keepAlive: true, maxSockets: 200, maxFreeSockets: 200 });
        for (let round = 0; round < 5; round++) {
            const paths = Array.from({ length: 200 }, (_, index) => `/echo?round=${round}&index=${index}`);
            const answers = await Promise.all(paths.map((path) => get(agent, path)));
            answers.forEach((answer, index) => assert.strictEqual(JSON.parse(answer).target, paths[index]));
        }
        agent.destroy();
    },

    // fetch with a body whose length nobody knows before its end.
    async fetch() {
        const hash = crypto.createHash('sha256');
        let left = 64;
        const body = new ReadableStream({
            pull(controller) {
                if (left-- === 0) return controller.close();
                hash.update(block);
                return controller.enqueue(new Uint8Array(block));
            },
        });
        const response = await fetch(`http://${host}:${port}/echo`, { method: 'POST', body, duplex: 'half' });
        const echo = await response.json();
        assert.strictEqual(response.status, 200);
        assert.strictEqual(echo.fields['transfer-encoding'], 'chunked');
        assert.strictEqual(echo.length, 64 * block.length);
        assert.strictEqual(echo.sha256, hash.digest('hex'));
    },

    // The response begins long before the request ends: each piece goes up only after the one before has come back.
    async duplex() {
        const request = http.request({ host, port, path: '/mirror', method: 'POST' });
        request.flushHeaders();
        let sent = 1;
        let arrived = 0;
        request.write(block);
        await new Promise((resolve, reject) => {
            request.on('error', reject);
            request.on('response', (response) => {
                response.on('error', reject);
                response.on('end', resolve);
                response.on('data', (bytes) => {
                    arrived += bytes.length;
                    if (arrived < sent * block.length) return;
                    if (sent === 32) request.end();
                    else { sent++; request.write(block); }
                });
            });
        });
        assert.strictEqual(arrived, 32 * block.length);
    },
};

doings[what]().then(() => console.log('ok'), (failure) => { console.log(failure); process.exitCode = 1; });

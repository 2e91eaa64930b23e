// SPDX-License-Identifier: MIT
// A WebSocket server with `ws` that tells how many connections it has. npm install ws; node node.mjs 8080
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const server = createServer((request, response) => {
	const found = request.url === "/metric";
	response.writeHead(found ? 200 : 404, { "Content-Type": "application/json" });
	response.end(found ? JSON.stringify({ agentsConnections: sockets.clients.size }) : "{}");
});
const sockets = new WebSocketServer({ server });

sockets.on("connection", (socket) => socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary })));
server.listen(Number(process.argv[2]));

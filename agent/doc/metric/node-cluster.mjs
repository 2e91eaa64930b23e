// SPDX-License-Identifier: MIT
// The same with node:cluster. A worker's own count is not the pod's: each tells the primary, which tells all the sum.
// npm install ws; node node-cluster.mjs 8080 4
import cluster from "node:cluster";
import { createServer } from "node:http";

if (cluster.isPrimary) {
	const counts = new Map();
	const tell = () => {
		const sum = [...counts.values()].reduce((a, b) => a + b, 0);
		for (const worker of Object.values(cluster.workers)) worker.send(sum);
	};
	cluster.on("message", (worker, count) => { counts.set(worker.id, count); tell(); });
	cluster.on("exit", (worker) => { counts.delete(worker.id); cluster.fork(); tell(); });
	for (let i = 0; i < Number(process.argv[3] ?? 2); i++) cluster.fork();
} else {
	const { WebSocketServer } = await import("ws");
	let connections = 0; // of all workers
	process.on("message", (sum) => { connections = sum; });
	const server = createServer((request, response) => {
		const found = request.url === "/metric";
		response.writeHead(found ? 200 : 404, { "Content-Type": "application/json" });
		response.end(found ? JSON.stringify({ agentsConnections: connections }) : "{}");
	});
	const sockets = new WebSocketServer({ server });
	const tell = () => process.send(sockets.clients.size);
	sockets.on("connection", (socket) => {
		tell();
		socket.on("close", () => setImmediate(tell)); // it is still among the clients now
		socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
	});
	server.listen(Number(process.argv[2]));
}

# SPDX-License-Identifier: MIT
"""A WebSocket server with `websockets` that tells how many connections it has. python3 server.py 8080"""
import asyncio
import http
import json
import sys

import websockets

connections = set()


async def serve(websocket, path=None):
    connections.add(websocket)
    try:
        async for message in websocket:
            await websocket.send(message)
    finally:
        connections.discard(websocket)


def metric():
    return json.dumps({"agentsConnections": len(connections)}).encode()


async def answer_old(path, headers):  # websockets before 13
    if path == "/metric":
        return http.HTTPStatus.OK, [("Content-Type", "application/json")], metric()


def answer_new(connection, request):  # and from 13 on
    if request.path == "/metric":
        response = connection.respond(http.HTTPStatus.OK, metric().decode())
        del response.headers["Content-Type"]
        response.headers["Content-Type"] = "application/json"
        return response


async def main():
    answer = answer_new if hasattr(websockets, "asyncio") else answer_old
    async with websockets.serve(serve, "", int(sys.argv[1]), process_request=answer):
        await asyncio.Future()


asyncio.run(main())

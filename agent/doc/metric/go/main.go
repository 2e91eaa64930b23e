// SPDX-License-Identifier: MIT

// A WebSocket server that tells how many connections it has. go run . 8080
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"sync/atomic"

	"github.com/coder/websocket"
)

var connections atomic.Int64

func metric(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"agentsConnections": %d}`, connections.Load())
}

func serve(w http.ResponseWriter, r *http.Request) {
	socket, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer socket.CloseNow()
	connections.Add(1)
	defer connections.Add(-1)
	for {
		kind, message, err := socket.Read(r.Context())
		if err != nil || socket.Write(r.Context(), kind, message) != nil {
			return
		}
	}
}

func main() {
	http.HandleFunc("/metric", metric)
	http.HandleFunc("/", serve)
	log.Fatal(http.ListenAndServe(":"+os.Args[1], nil))
}

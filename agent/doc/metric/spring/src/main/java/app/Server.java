// SPDX-License-Identifier: MIT
package app;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.socket.CloseStatus;
import org.springframework.web.socket.TextMessage;
import org.springframework.web.socket.WebSocketSession;
import org.springframework.web.socket.config.annotation.EnableWebSocket;
import org.springframework.web.socket.config.annotation.WebSocketConfigurer;
import org.springframework.web.socket.config.annotation.WebSocketHandlerRegistry;
import org.springframework.web.socket.handler.TextWebSocketHandler;

/** A WebSocket server that tells how many connections it has. java -jar server-1.jar --server.port=8080 */
@SpringBootApplication
@EnableWebSocket
@RestController
public class Server extends TextWebSocketHandler implements WebSocketConfigurer {
	private final Set<WebSocketSession> connections = ConcurrentHashMap.newKeySet();

	@GetMapping("/metric")
	Map<String, Integer> metric() {
		return Map.of("agentsConnections", connections.size());
	}

	@Override
	public void afterConnectionEstablished(WebSocketSession session) {
		connections.add(session);
	}

	@Override
	public void afterConnectionClosed(WebSocketSession session, CloseStatus status) {
		connections.remove(session);
	}

	@Override
	protected void handleTextMessage(WebSocketSession session, TextMessage message) throws Exception {
		session.sendMessage(message);
	}

	@Override
	public void registerWebSocketHandlers(WebSocketHandlerRegistry registry) {
		registry.addHandler(this, "/ws").setAllowedOrigins("*");
	}

	public static void main(String[] args) {
		SpringApplication.run(Server.class, args);
	}
}

// SPDX-License-Identifier: Apache-2.0
#include "crowd.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace eventweft::net {

namespace {

constexpr std::string_view mark = "\"seq\":";

} // namespace

crowd::crowd(uint16_t port, size_t count, const std::string& request,
             int receive_buffer) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (size_t i = 0; i != count; ++i) {
    member m;
    m.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer != 0)
      ::setsockopt(m.fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer,
                   sizeof receive_buffer);
    if (m.fd < 0 ||
        ::connect(m.fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
      throw std::runtime_error{"can't connect"};
    members_.push_back(m);
    if (request.empty())
      continue;
    if (::send(m.fd, request.data(), request.size(), MSG_NOSIGNAL) < 0)
      throw std::runtime_error{"can't send"};
  }
  if (request.empty())
    return;
  for (auto& m : members_) {
    std::string head;
    char c = 0;
    while (!head.ends_with("\r\n\r\n")) {
      if (::recv(m.fd, &c, 1, 0) != 1)
        throw std::runtime_error{"refused: " + head};
      head += c;
    }
  }
}

crowd::~crowd() {
  for (const auto& m : members_)
    if (m.fd >= 0)
      ::close(m.fd);
}

std::string crowd::upgrade(const std::string& target) {
  return get(target, "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                     "Sec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
}

bool crowd::receive(member& m) {
  char piece[16 << 10];
  for (;;) {
    const auto n = ::recv(m.fd, piece, sizeof piece, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      return true;
    if (n <= 0)
      return false;
    m.tail.append(piece, static_cast<size_t>(n));
    size_t at = 0;
    for (size_t found; (found = m.tail.find(mark, at)) != std::string::npos;
         at = found + mark.size())
      ++m.events;
    const auto keep = std::min(m.tail.size() - at, mark.size() - 1);
    m.tail.erase(0, m.tail.size() - keep);
  }
}

bool crowd::read_until(size_t events) {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    std::vector<pollfd> waiting;
    for (auto& m : members_) {
      if (!receive(m))
        return false;
      if (m.events < events)
        waiting.push_back({m.fd, POLLIN, 0});
    }
    if (waiting.empty())
      return true;
    if (std::chrono::steady_clock::now() > until)
      return false;
    ::poll(waiting.data(), waiting.size(), 100);
  }
}

void crowd::send_each(std::string_view bytes) {
  for (auto& m : members_)
    if (m.fd >= 0)
      ::send(m.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

size_t crowd::open() {
  size_t count = 0;
  for (auto& m : members_) {
    if (m.fd < 0)
      continue;
    if (receive(m)) {
      ++count;
    } else {
      ::close(m.fd);
      m.fd = -1;
    }
  }
  return count;
}

} // namespace eventweft::net

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <utility>

namespace eventweft::testing {

/// TCP on loopback that says nothing by itself.
class plain_socket {
 public:
  static plain_socket listen() {
    plain_socket out;
    auto address = loopback(0);
    if (::bind(out.fd_, as_plain(address), sizeof address) != 0 ||
        ::listen(out.fd_, 16) != 0)
      throw std::runtime_error{"can't listen"};
    return out;
  }

  static plain_socket connect(uint16_t port) {
    plain_socket out;
    auto address = loopback(port);
    if (::connect(out.fd_, as_plain(address), sizeof address) != 0)
      throw std::runtime_error{"can't connect"};
    return out;
  }

  plain_socket(plain_socket&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)) {}
  plain_socket& operator=(plain_socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~plain_socket() {
    if (fd_ >= 0)
      ::close(fd_);
  }

  plain_socket accept() const {
    return plain_socket{::accept(fd_, nullptr, nullptr)};
  }

  /// At this end.
  uint16_t port() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getsockname(fd_, as_plain(address), &size);
    return ntohs(address.sin_port);
  }

  /// Whether the other side has ended it by now; skips what it said before.
  bool ended() const {
    for (char bytes[512];;) {
      const auto n = ::recv(fd_, bytes, sizeof bytes, MSG_DONTWAIT);
      if (n <= 0)
        return n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
    }
  }

 private:
  plain_socket() : plain_socket(::socket(AF_INET, SOCK_STREAM, 0)) {}
  explicit plain_socket(int fd) : fd_(fd) {
    if (fd_ < 0)
      throw std::runtime_error{"no socket"};
  }

  static sockaddr_in loopback(uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    out.sin_port = htons(port);
    return out;
  }

  static sockaddr* as_plain(sockaddr_in& address) {
    return reinterpret_cast<sockaddr*>(&address);
  }

  int fd_;
};

} // namespace eventweft::testing

// SPDX-License-Identifier: Apache-2.0
#include "bench/basics.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace eventweft::bench {

namespace {

sockaddr_in address_of(const endpoint& e) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(e.port);
  if (::inet_pton(AF_INET, e.host.c_str(), &address.sin_addr) != 1)
    throw bench_error("not an IPv4 address: " + e.host);
  return address;
}

} // namespace

void fail_errno(const std::string& what) {
  throw bench_error(what + ": " + std::strerror(errno));
}

void histogram::add(const histogram& other) {
  counts_.resize(std::max(counts_.size(), other.counts_.size()));
  for (size_t us = 0; us < other.counts_.size(); ++us)
    counts_[us] += other.counts_[us];
  total_ += other.total_;
}

double histogram::quantile_ms(double q) const {
  const auto goal = static_cast<uint64_t>(q * static_cast<double>(total_));
  uint64_t seen = 0;
  for (size_t us = 0; us < counts_.size(); ++us) {
    seen += counts_[us];
    if (seen > goal)
      return static_cast<double>(us) / 1e3;
  }
  return 0;
}

unique_fd connect_to(const endpoint& to) {
  unique_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!fd)
    fail_errno("socket");
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const auto address = address_of(to);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address),
                sizeof address) != 0)
    fail_errno("connect to port " + std::to_string(to.port));
  timeval limit{30, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  return fd;
}

uint16_t free_port() {
  unique_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  auto address = address_of({});
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (!fd || ::bind(fd.get(), generic, size) != 0 ||
      ::getsockname(fd.get(), generic, &size) != 0)
    fail_errno("no free port");
  return ntohs(address.sin_port);
}

std::string http_get(const endpoint& to, std::string_view path, int seconds) {
  auto fd = connect_to(to);
  std::string request = "GET " + std::string{path} +
                        " HTTP/1.1\r\nHost: bench\r\n"
                        "Connection: close\r\n\r\n";
  if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size()))
    fail_errno("send");
  std::string answer;
  const auto end = now_ns() + seconds * int64_t{1'000'000'000};
  char piece[65536];
  while (now_ns() < end) {
    pollfd wait{fd.get(), POLLIN, 0};
    if (::poll(&wait, 1, 200) <= 0)
      continue;
    const auto n = ::recv(fd.get(), piece, sizeof piece, 0);
    if (n <= 0)
      return answer;
    answer.append(piece, static_cast<size_t>(n));
  }
  throw bench_error("no answer to GET " + std::string{path});
}

} // namespace eventweft::bench

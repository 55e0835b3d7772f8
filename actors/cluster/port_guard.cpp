// SPDX-License-Identifier: Apache-2.0
#include "actors/cluster/port_guard.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>
#include <vector>

namespace eventweft {

namespace {

struct socket_end {
  std::string host;
  uint16_t port = 0;
};

std::optional<socket_end> read_end(const sockaddr_storage& from) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (from.ss_family == AF_INET) {
    sockaddr_in a{};
    std::memcpy(&a, &from, sizeof a);
    if (::inet_ntop(AF_INET, &a.sin_addr, text.data(), text.size()))
      return socket_end{text.data(), ntohs(a.sin_port)};
  } else if (from.ss_family == AF_INET6) {
    sockaddr_in6 a{};
    std::memcpy(&a, &from, sizeof a);
    if (::inet_ntop(AF_INET6, &a.sin6_addr, text.data(), text.size()))
      return socket_end{text.data(), ntohs(a.sin6_port)};
  }
  return std::nullopt;
}

template <class Ask>
std::optional<socket_end> end_by(Ask ask, int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (ask(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return std::nullopt;
  return read_end(address);
}

/// Who is at the other end of `fd`, if that is a TCP connection to `port`.
std::optional<std::string> connected_to(uint16_t port, int fd) {
  const auto own = end_by(::getsockname, fd);
  if (!own || own->port != port)
    return std::nullopt;
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
      type != SOCK_STREAM)
    return std::nullopt;
  // None for who listens.
  const auto other = end_by(::getpeername, fd);
  if (!other)
    return std::nullopt;
  return far_end_of(other->host, other->port);
}

} // namespace

std::string far_end_of(const std::string& host, uint16_t port) {
  return host + ":" + std::to_string(port);
}

port_guard::port_guard(uint16_t port, port_limits limits)
    : port_(port), limits_(limits), descriptors_(::opendir("/proc/self/fd")) {
  // nop
}

std::vector<port_guard::stranger> port_guard::overdue(nanoseconds now,
                                                      const far_ends& members) {
  std::vector<stranger> out;
  if (!descriptors_)
    return out;
  std::map<std::string, nanoseconds> seen;
  std::vector<std::pair<nanoseconds, stranger>> strangers;
  ::rewinddir(descriptors_.get());
  while (const auto* entry = ::readdir(descriptors_.get())) {
    int fd = -1;
    const auto* end = entry->d_name + std::strlen(entry->d_name);
    if (std::from_chars(entry->d_name, end, fd).ec != std::errc{})
      continue;
    const auto who = connected_to(port_, fd);
    if (!who)
      continue;
    const bool member = members && members->contains(*who);
    const auto known = since_.find(*who);
    const auto since = member || known == since_.end() ? now : known->second;
    seen.emplace(*who, since);
    if (!member)
      strangers.emplace_back(since, stranger{fd, *who});
  }
  since_ = std::move(seen);
  if (!members)
    return out;
  std::ranges::sort(strangers, {}, [](const auto& s) {
    return std::pair{s.first, s.second.fd};
  });
  for (auto& [since, one] : strangers) {
    if (strangers.size() - out.size() <= limits_.most_strangers &&
        now - since < limits_.hello_within)
      break;
    out.push_back(std::move(one));
  }
  return out;
}

bool port_guard::end(const stranger& one, const far_ends& members) const {
  if (!members || members->contains(one.who) ||
      connected_to(port_, one.fd) != one.who)
    return false;
  ::shutdown(one.fd, SHUT_RDWR);
  return true;
}

} // namespace eventweft

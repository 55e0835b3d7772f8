// SPDX-License-Identifier: Apache-2.0
#include "bench/receiver.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <string_view>

namespace eventweft::bench {

using namespace std::chrono_literals;

receiver::receiver() {
  listener_ = unique_fd{
      ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_.get(), generic, size) != 0 ||
      ::listen(listener_.get(), 1'024) != 0 ||
      ::getsockname(listener_.get(), generic, &size) != 0)
    fail_errno("listening");
  address_.port = ntohs(address.sin_port);
  poll_ = unique_fd{::epoll_create1(EPOLL_CLOEXEC)};
  watch(listener_.get());
  thread_ = std::thread{[this] { run(); }};
}

receiver::~receiver() {
  stopping_ = true;
  thread_.join();
}

bool receiver::wait(uint64_t count, int seconds) const {
  const auto until = now_ns() + int64_t{seconds} * 1'000'000'000;
  while (count_ < count && now_ns() < until)
    std::this_thread::sleep_for(1ms);
  return count_ >= count;
}

void receiver::watch(int fd) {
  epoll_event e{};
  e.events = EPOLLIN;
  e.data.fd = fd;
  ::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, fd, &e);
}

void receiver::run() {
  std::array<epoll_event, 256> events{};
  while (!stopping_) {
    const int n = ::epoll_wait(poll_.get(), events.data(), events.size(), 50);
    for (int i = 0; i < n; ++i) {
      const int fd = events[static_cast<size_t>(i)].data.fd;
      if (fd == listener_.get())
        accept_all();
      else if (!serve(connections_[fd]))
        connections_.erase(fd);
    }
  }
}

void receiver::accept_all() {
  for (;;) {
    const int fd = ::accept4(listener_.get(), nullptr, nullptr,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
      return;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connections_[fd] = {unique_fd{fd}, {}};
    watch(fd);
  }
}

bool receiver::serve(connection& c) {
  std::array<char, 65'536> buffer;
  for (;;) {
    const auto n = ::recv(c.fd.get(), buffer.data(), buffer.size(), 0);
    if (n == 0 || (n < 0 && errno != EAGAIN))
      return false;
    if (n < 0)
      break;
    c.in.append(buffer.data(), static_cast<size_t>(n));
  }
  static constexpr std::string_view ok =
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  while (const auto size = request_size(c.in)) {
    c.in.erase(0, size);
    if (::send(c.fd.get(), ok.data(), ok.size(), MSG_NOSIGNAL) < 0)
      return false;
    ++count_;
  }
  return true;
}

size_t receiver::request_size(const std::string& in) {
  const auto end = in.find("\r\n\r\n");
  if (end == std::string::npos)
    return 0;
  static constexpr std::string_view name = "content-length: ";
  size_t length = 0;
  for (size_t at = in.find("\r\n"); at < end; at = in.find("\r\n", at + 2)) {
    const auto* line = in.data() + at + 2;
    if (end - at > name.size() &&
        std::equal(name.begin(), name.end(), line, [](char a, char b) {
          return a == (b >= 'A' && b <= 'Z' ? b + 32 : b);
        }))
      std::from_chars(line + name.size(), in.data() + end, length);
  }
  return in.size() >= end + 4 + length ? end + 4 + length : 0;
}

} // namespace eventweft::bench

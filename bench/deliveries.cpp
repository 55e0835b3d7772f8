// SPDX-License-Identifier: Apache-2.0
#include "bench/engine.hpp"
#include "bench/parts.hpp"
#include "bench/poster.hpp"
#include "bench/streams.hpp"
#include "bench/webhooks.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <map>
#include <thread>

namespace eventweft::bench {

namespace {

using namespace std::chrono_literals;

/// Answers every POST with 200 and counts them; does as little as it can.
class receiver {
 public:
  receiver() {
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

  ~receiver() {
    stopping_ = true;
    thread_.join();
  }

  receiver(const receiver&) = delete;
  receiver& operator=(const receiver&) = delete;

  const endpoint& address() const noexcept { return address_; }
  uint64_t count() const noexcept { return count_; }

  bool wait(uint64_t count, int seconds) const {
    const auto until = now_ns() + int64_t{seconds} * 1'000'000'000;
    while (count_ < count && now_ns() < until)
      std::this_thread::sleep_for(1ms);
    return count_ >= count;
  }

 private:
  struct connection {
    unique_fd fd;
    std::string in;
  };

  void watch(int fd) {
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.fd = fd;
    ::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, fd, &e);
  }

  void run() {
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

  void accept_all() {
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

  /// False once the connection is over.
  bool serve(connection& c) {
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

  /// Of the first whole request; 0 if there is none yet.
  static size_t request_size(const std::string& in) {
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

  unique_fd listener_;
  unique_fd poll_;
  endpoint address_;
  std::map<int, connection> connections_;
  std::atomic<uint64_t> count_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

std::string http_post(std::string_view path, std::string_view body) {
  return fmt::format("POST {} HTTP/1.1\r\nHost: x\r\nContent-Type: "
                     "application/json\r\nContent-Length: {}\r\n\r\n{}",
                     path, body.size(), body);
}

} // namespace

void measure_webhooks(const setting& s, report& out) {
  constexpr uint64_t endpoints = 100;
  const auto events = s.scaled(500, 100);
  const auto total = endpoints * events;
  for (const auto& e : all_engines(s)) {
    const auto store = e->fresh();
    std::string sample;
    double ours = 0;
    {
      receiver there;
      hub server{s,
                 "webhooks",
                 store,
                 {{"EVENTWEFT_WEBHOOKS_ALLOW_PRIVATE_NETWORKS", "true"}}};
      poster manager{server.address()};
      for (uint64_t n = 0; n < endpoints; ++n)
        manager.post(
            http_post("/api/v1/streams/all_events/subscriptions",
                      fmt::format(R"({{"url":"http://127.0.0.1:{}/{}"}})",
                                  there.address().port, n)));
      sample = sample_event(target_of(server, 1));
      const auto target = target_of(server, 2);
      if (!there.wait(endpoints, 30))
        throw bench_error("the first event did not reach every endpoint");
      const auto before = there.count();
      const auto start = now_ns();
      post_all({.to = target.address, .connections = 16, .count = events},
               [&](uint64_t n, std::string& request) {
                 request += target.request(n);
               });
      if (!there.wait(before + total, 300))
        throw bench_error("not all events reached all endpoints");
      ours = static_cast<double>(total) / seconds_between(start, now_ns());
      server.stop();
    }
    e->drop(store);
    // The same bytes from a client that does nothing else.
    receiver there;
    const auto request = http_post("/x", sample);
    const auto bare =
        post_all({.to = there.address(), .connections = 64, .count = total},
                 [&](uint64_t, std::string& o) { o += request; });
    out.rate(
        "webhooks",
        fmt::format("{}, each event to {} endpoints", e->name(), endpoints),
        ours, "webhooks/s", "bare HTTP client", bare.per_second());
  }
}

} // namespace eventweft::bench

// SPDX-License-Identifier: Apache-2.0
#include "bench/poster.hpp"

#include <fmt/format.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

namespace eventweft::bench {

namespace {

struct answer {
  int status = 0;
  size_t body_at = 0;
  size_t size = 0; ///< of header block and body
};

/// Reads an answer's head; nothing if it or the body is not complete.
std::optional<answer> read_answer(std::string_view text) {
  const auto head = text.find("\r\n\r\n");
  if (head == std::string_view::npos)
    return std::nullopt;
  answer a;
  std::from_chars(text.data() + 9, text.data() + 12, a.status);
  a.body_at = head + 4;
  static constexpr std::string_view name = "content-length:";
  for (size_t line = text.find("\r\n"); line < head;
       line = text.find("\r\n", line + 2)) {
    const auto* at = text.data() + line + 2;
    if (::strncasecmp(at, name.data(), name.size()) != 0)
      continue;
    size_t length = 0;
    at += name.size();
    while (*at == ' ')
      ++at;
    std::from_chars(at, text.data() + text.size(), length);
    a.size = a.body_at + length;
    if (text.size() < a.size)
      return std::nullopt;
    return a;
  }
  if (a.status != 204)
    throw bench_error("an answer without a length: " +
                      std::string{text.substr(0, head)});
  a.size = a.body_at;
  return a;
}

void expect_success(const answer& a, std::string_view text) {
  if (a.status < 200 || a.status > 299)
    throw bench_error("refused: " + std::string{text.substr(0, 600)});
}

struct connection {
  unique_fd fd;
  std::string out;
  size_t sent = 0;
  std::string in;
  int64_t began = 0;
  bool waits_to_write = false;
};

class load {
 public:
  load(const post_options& options, const request_writer& write)
      : options_(options),
        write_(write),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    connections_.resize(options.connections);
    const auto targets = options.others.size() + 1;
    size_t turn = 0;
    for (auto& c : connections_) {
      const auto target = turn++ % targets;
      c.fd = connect_to(target == 0 ? options.to : options.others[target - 1]);
      watch(c, EPOLL_CTL_ADD, EPOLLIN);
      idle_.push_back(&c);
    }
  }

  post_result go() {
    const auto start = now_ns();
    const auto end = start + options_.patience * int64_t{1'000'000'000};
    epoll_event ready[64];
    while (result_.accepted < options_.count) {
      const auto wait = begin_what_is_due(start);
      const timespec patience{wait / 1'000'000'000, wait % 1'000'000'000};
      const auto n =
          ::epoll_pwait2(epoll_.get(), ready, 64, &patience, nullptr);
      for (int i = 0; i < n; ++i)
        handle(*static_cast<connection*>(ready[i].data.ptr), ready[i].events);
      if (now_ns() > end)
        throw bench_error("only " + std::to_string(result_.accepted) +
                          " answers in time");
    }
    result_.seconds = seconds_between(start, now_ns());
    return std::move(result_);
  }

 private:
  void watch(connection& c, int operation, uint32_t events) {
    epoll_event e{};
    e.events = events;
    e.data.ptr = &c;
    if (::epoll_ctl(epoll_.get(), operation, c.fd.get(), &e) != 0)
      fail_errno("epoll_ctl");
  }

  /// Nanoseconds until the next request is due.
  int64_t begin_what_is_due(int64_t start) {
    static constexpr int64_t long_time = 100'000'000;
    while (!idle_.empty() && next_ < options_.count) {
      if (options_.rate > 0) {
        const auto due =
            start + static_cast<int64_t>(static_cast<double>(next_) * 1e9 /
                                         options_.rate);
        const auto wait = due - now_ns();
        if (wait > 0)
          return std::min(wait, long_time);
      }
      auto& c = *idle_.back();
      idle_.pop_back();
      begin(c);
    }
    return long_time;
  }

  void begin(connection& c) {
    c.out.clear();
    c.sent = 0;
    write_(next_++, c.out);
    c.began = now_ns();
    flush(c);
  }

  void flush(connection& c) {
    while (c.sent < c.out.size()) {
      const auto n = ::send(c.fd.get(), c.out.data() + c.sent,
                            c.out.size() - c.sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n > 0) {
        c.sent += static_cast<size_t>(n);
      } else if (errno == EAGAIN) {
        break;
      } else {
        fail_errno("send");
      }
    }
    const bool rest = c.sent < c.out.size();
    if (rest != c.waits_to_write) {
      c.waits_to_write = rest;
      watch(c, EPOLL_CTL_MOD, rest ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
  }

  void handle(connection& c, uint32_t events) {
    if ((events & EPOLLOUT) != 0)
      flush(c);
    if ((events & EPOLLIN) == 0 && (events & EPOLLOUT) != 0)
      return;
    const auto n = ::recv(c.fd.get(), buffer_, sizeof buffer_, MSG_DONTWAIT);
    if (n == 0)
      throw bench_error("the server closed a connection; it said: " + c.in);
    if (n < 0) {
      if (errno == EAGAIN)
        return;
      fail_errno("recv");
    }
    std::string_view text{buffer_, static_cast<size_t>(n)};
    if (!c.in.empty()) {
      c.in.append(text);
      text = c.in;
    }
    const auto a = read_answer(text);
    if (!a) {
      if (c.in.empty())
        c.in = text;
      return;
    }
    expect_success(*a, text);
    c.in.clear();
    ++result_.accepted;
    result_.latency.add(now_ns() - c.began);
    // Without a rate the next request goes out at once; with one it waits its
    // turn.
    if (options_.rate > 0 || next_ == options_.count)
      idle_.push_back(&c);
    else
      begin(c);
  }

  const post_options& options_;
  const request_writer& write_;
  unique_fd epoll_;
  std::vector<connection> connections_;
  std::vector<connection*> idle_;
  uint64_t next_ = 0;
  post_result result_;
  char buffer_[16384];
};

} // namespace

post_result post_all(const post_options& options, const request_writer& write) {
  return std::make_unique<load>(options, write)->go();
}

std::string api_request(std::string_view method, std::string_view path,
                        std::string_view body) {
  return fmt::format("{} {} HTTP/1.1\r\nHost: x\r\nContent-Type: "
                     "application/json\r\nContent-Length: {}\r\n\r\n{}",
                     method, path, body.size(), body);
}

poster::poster(const endpoint& to) : fd_(connect_to(to)) {}

std::string poster::post(const std::string& request) {
  size_t sent = 0;
  while (sent < request.size()) {
    const auto n = ::send(fd_.get(), request.data() + sent,
                          request.size() - sent, MSG_NOSIGNAL);
    if (n <= 0)
      fail_errno("send");
    sent += static_cast<size_t>(n);
  }
  std::string in;
  char piece[8192];
  for (;;) {
    const auto n = ::recv(fd_.get(), piece, sizeof piece, 0);
    if (n <= 0)
      fail_errno("no answer");
    in.append(piece, static_cast<size_t>(n));
    if (const auto a = read_answer(in)) {
      expect_success(*a, in);
      return in.substr(a->body_at);
    }
  }
}

} // namespace eventweft::bench

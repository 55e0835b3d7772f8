// SPDX-License-Identifier: Apache-2.0
#include "bench/swarm.hpp"

#include <poll.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>

namespace eventweft::bench {

namespace {

constexpr size_t buffer_size = 1 << 20;

bool has_chunked(std::string_view head) {
  std::string lower{head};
  for (auto& c : lower)
    c = static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
  return lower.find("transfer-encoding: chunked") != std::string::npos;
}

} // namespace

std::string_view to_string(stream_kind kind) {
  return kind == stream_kind::websocket ? "WebSocket" : "SSE";
}

reader_swarm::reader_swarm(const swarm_options& options,
                           std::shared_ptr<const send_marks> marks)
    : options_(options),
      marks_(std::move(marks)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_CLOEXEC)),
      readers_(options.readers),
      buffer_(buffer_size),
      reached_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  // All requests of a slice go out before the first answer is waited for.
  constexpr size_t slice = 64;
  for (size_t begin = 0; begin < readers_.size(); begin += slice) {
    const auto end = std::min(begin + slice, readers_.size());
    std::string rest = " HTTP/1.1\r\nHost: bench\r\n" + options.headers;
    if (options.kind == stream_kind::websocket)
      rest += "Connection: Upgrade\r\nUpgrade: websocket\r\n"
              "Sec-WebSocket-Version: 13\r\n"
              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    else
      rest += "Accept: text/event-stream\r\n\r\n";
    for (auto i = begin; i < end; ++i) {
      readers_[i].fd = connect_to(options.to);
      const auto own = options.own_query
                           ? options.own_query(static_cast<unsigned>(i))
                           : std::string{};
      const auto request = "GET " + options.path + own + rest;
      if (::send(readers_[i].fd.get(), request.data(), request.size(),
                 MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
        fail_errno("send");
    }
    for (auto i = begin; i < end; ++i)
      shake_hands(readers_[i]);
  }
  readers_.front().first = true;
  for (auto& r : readers_) {
    epoll_event e{};
    e.events = EPOLLIN;
    e.data.ptr = &r;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, r.fd.get(), &e) != 0)
      fail_errno("epoll_ctl");
  }
  epoll_event e{};
  e.events = EPOLLIN;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &e);
  thread_ = std::thread{[this] { loop(); }};
}

reader_swarm::~reader_swarm() {
  stop();
}

void reader_swarm::shake_hands(reader& r) {
  std::string head;
  char piece[4096];
  size_t end = 0;
  while ((end = head.find("\r\n\r\n")) == std::string::npos) {
    const auto n = ::recv(r.fd.get(), piece, sizeof piece, 0);
    if (n <= 0)
      throw bench_error("a reader got no answer; it said: " + head);
    head.append(piece, static_cast<size_t>(n));
  }
  const bool websocket = options_.kind == stream_kind::websocket;
  if (!head.starts_with(websocket ? "HTTP/1.1 101" : "HTTP/1.1 200"))
    throw bench_error("a reader was refused: " + head);
  r.chunked = !websocket && has_chunked({head.data(), end});
  r.carry = head.substr(end + 4);
  if (r.chunked)
    r.carry.resize(r.chunks.decode(r.carry.data(), r.carry.size()));
}

void reader_swarm::stop() {
  if (!thread_.joinable())
    return;
  const uint64_t one = 1;
  if (::write(wake_.get(), &one, sizeof one) != sizeof one)
    fail_errno("eventfd");
  thread_.join();
}

bool reader_swarm::wait_delivered(uint64_t goal, double seconds) {
  const auto end = now_ns() + static_cast<int64_t>(seconds * 1e9);
  goal_ = goal;
  while (delivered_ < goal) {
    if (broken_ || now_ns() > end)
      return false;
    pollfd wait{reached_.get(), POLLIN, 0};
    ::poll(&wait, 1, 50);
    uint64_t count = 0;
    if (::read(reached_.get(), &count, sizeof count) < 0 && errno != EAGAIN)
      fail_errno("eventfd");
  }
  return true;
}

void reader_swarm::loop() {
  std::vector<epoll_event> ready(256);
  for (;;) {
    const auto n = ::epoll_wait(epoll_.get(), ready.data(), 256, -1);
    for (int i = 0; i < n; ++i) {
      auto* r = static_cast<reader*>(ready[static_cast<size_t>(i)].data.ptr);
      if (r == nullptr)
        return;
      receive(*r);
      if (batch_ == 0)
        continue;
      last_.store(batch_time_, std::memory_order_relaxed);
      const auto before = delivered_.fetch_add(batch_);
      const auto goal = goal_.load();
      if (before < goal && before + batch_ >= goal) {
        const uint64_t one = 1;
        if (::write(reached_.get(), &one, sizeof one) < 0 && errno != EAGAIN)
          broken_ = true;
      }
      batch_ = 0;
    }
  }
}

void reader_swarm::receive(reader& r) {
  const auto kept = r.carry.size();
  if (kept * 2 > buffer_.size())
    buffer_.resize(kept * 4);
  std::memcpy(buffer_.data(), r.carry.data(), kept);
  auto* fresh = buffer_.data() + kept;
  const auto n = ::recv(r.fd.get(), fresh, buffer_.size() - kept, MSG_DONTWAIT);
  if (n <= 0) {
    if (n == 0 || errno != EAGAIN)
      close(r);
    return;
  }
  bytes_ += static_cast<uint64_t>(n);
  batch_time_ = now_ns();
  auto size = static_cast<size_t>(n);
  if (r.chunked)
    size = r.chunks.decode(fresh, size);
  const std::string_view text{buffer_.data(), kept + size};
  const auto used = options_.kind == stream_kind::websocket
                        ? take_frames(r, text)
                        : take_lines(r, text);
  r.carry.assign(text.substr(used));
}

size_t reader_swarm::take_frames(reader& r, std::string_view text) {
  size_t used = 0;
  while (const auto f = read_frame(text.substr(used))) {
    used += f->size;
    if (f->kind == frame_kind::data)
      take_event(r, f->payload);
    else if (f->kind == frame_kind::ping)
      answer_ping(r, f->payload);
    else if (f->kind == frame_kind::close)
      close(r);
  }
  return used;
}

size_t reader_swarm::take_lines(reader& r, std::string_view text) {
  size_t used = 0;
  // The last `data:` line of the block that is being read.
  std::string_view data;
  for (size_t line = 0;;) {
    const auto end = text.find('\n', line);
    if (end == std::string_view::npos)
      return used;
    auto content = text.substr(line, end - line);
    if (content.ends_with('\r'))
      content.remove_suffix(1);
    line = end + 1;
    if (content.empty()) {
      if (!data.empty())
        take_event(r, data);
      data = {};
      used = line;
    } else if (content.starts_with("data:")) {
      data = content;
    }
  }
}

void reader_swarm::take_event(reader& r, std::string_view text) {
  ++batch_;
  if (r.first)
    sample_ = text;
  if (!options_.tagged)
    return;
  const auto n = read_tag(text);
  if (!n || *n != r.next) {
    ++faults_;
    if (!n)
      return;
  }
  r.next = *n + 1;
  const auto sent = marks_ && *n < marks_->size() ? (*marks_)[*n].load() : 0;
  if (sent != 0)
    latency_.add(batch_time_ - sent);
}

void reader_swarm::close(reader& r) {
  if (r.closed)
    return;
  r.closed = true;
  ++faults_;
  broken_ = true;
  // A server that leaves waits for its readers to hang up.
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, r.fd.get(), nullptr);
  r.fd = unique_fd{};
}

void reader_swarm::answer_ping(reader& r, std::string_view payload) {
  // Masked with zeros, as a client's frames have to be masked.
  std::string pong{"\x8a", 1};
  pong += static_cast<char>(0x80 | (payload.size() & 0x7f));
  pong.append(4, '\0');
  pong += payload;
  if (::send(r.fd.get(), pong.data(), pong.size(),
             MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
    close(r);
}

} // namespace eventweft::bench

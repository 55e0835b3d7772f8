// SPDX-License-Identifier: Apache-2.0
#include "net/io_thread.hpp"

#include "net/http_session.hpp"

#include <boost/asio/co_spawn.hpp>
#include <fmt/chrono.h>

#include <algorithm>
#include <utility>

namespace eventweft::net {

// -- connection_counter -------------------------------------------------------

connection_slot connection_counter::open() {
  ++count_;
  figures_.connection_opened();
  return {this, [self = shared_from_this()](void*) { self->closed(); }};
}

void connection_counter::closed() {
  figures_.connection_closed();
  if (--count_ == 0) {
    const std::lock_guard lock{mutex_};
    none_.notify_all();
  }
}

bool connection_counter::wait_for_none(steady_clock::time_point until) {
  std::unique_lock lock{mutex_};
  return none_.wait_until(lock, until, [this] { return count_ == 0; });
}

// -- io_thread ----------------------------------------------------------------

namespace {

/// Often enough for the shortest of all time-outs, and for the rest once a
/// second.
std::chrono::milliseconds tick_for(const server_context& shared) {
  const auto& s = shared.settings;
  const auto shortest = std::min(
      {s.header_timeout, s.body_timeout, s.idle_timeout, s.write_timeout,
       shared.streaming.ping_interval, shared.streaming.pong_timeout});
  return std::clamp(shortest / 4, std::chrono::milliseconds{5},
                    std::chrono::milliseconds{1'000});
}

} // namespace

io_thread::io_thread(const server_context& shared)
    : shared_(shared),
      tick_interval_(tick_for(shared)),
      context_(std::make_unique<asio::io_context>(1)) {
  way_in_ = std::make_shared<gate>(*context_);
  readers_ =
      std::make_shared<lane>(way_in_, shared_.streaming, shared_.figures);
  ticker_ = std::make_unique<steady_timer>(context_->get_executor());
}

void io_thread::join() {
  way_in_->close();
  context_->stop();
  if (thread_.joinable())
    thread_.join();
  way_in_->drop();
}

io_thread::~io_thread() {
  join();
  // Sockets and timers must go before the context they belong to, sessions and
  // readers that still wait for something go with it.
  ticker_.reset();
  readers_->clear();
  context_.reset();
}

void io_thread::start() {
  tick();
  thread_ = std::thread{[this] {
    // Handlers of ours do not throw; memory may run out all the same.
    for (;;) {
      try {
        context_->run();
        return;
      } catch (const std::exception& e) {
        shared_.log->error("an I/O handler failed: {}", e.what());
      }
    }
  }};
}

void io_thread::tick() {
  ticker_->expires_after(tick_interval_);
  ticker_->async_wait([this](const error_code& ec) {
    if (ec)
      return;
    const auto now = steady_clock::now();
    for (auto* s : sessions_)
      s->tick(now);
    readers_->tick(now);
    tick();
  });
}

void io_thread::adopt(tcp_socket socket, connection_slot slot, bool refused) {
  way_in_->post([this, socket = std::move(socket), slot = std::move(slot),
                 refused]() mutable {
    const auto tls = shared_.tls ? shared_.tls->current() : nullptr;
    const auto session = std::make_shared<http_session>(
        *this,
        tls ? transport{std::move(socket), tls.get()}
            : transport{std::move(socket)},
        std::move(slot));
    asio::co_spawn(get_executor(), refused ? session->refuse() : session->run(),
                   [this, session](const std::exception_ptr& failure) {
                     if (!failure)
                       return;
                     try {
                       std::rethrow_exception(failure);
                     } catch (const std::exception& e) {
                       shared_.log->error("an HTTP session failed: {}",
                                          e.what());
                     }
                   });
  });
}

void io_thread::drain(reader_end why) {
  way_in_->post([this, why] {
    draining_ = true;
    for (auto* s : sessions_)
      s->drain();
    readers_->stop(why);
  });
}

void io_thread::abort() {
  way_in_->post([this] {
    draining_ = true;
    for (auto* s : sessions_)
      s->abort();
    readers_->abort_all();
  });
}

void io_thread::recheck(const still_in& alive) {
  way_in_->post([this, alive] { readers_->recheck(alive); });
}

const std::string& io_thread::date() {
  const auto now = std::chrono::floor<std::chrono::seconds>(shared_.time.now());
  if (now != date_at_ || date_.empty()) {
    date_at_ = now;
    date_ = fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT",
                        fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
  }
  return date_;
}

} // namespace eventweft::net

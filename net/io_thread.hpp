// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/settings.hpp"
#include "net/backend.hpp"
#include "net/gate.hpp"
#include "net/lane.hpp"
#include "net/readers.hpp"
#include "net/tls_keeper.hpp"
#include "net/types.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_set>

namespace eventweft::net {

class http_session;

/// What all I/O threads of one server share.
struct server_context {
  config::server_settings settings;
  config::streaming_settings streaming;
  eventweft::net::backend& behind;
  metrics& figures;
  logger_ptr log;
  const clock& time;
  random_source& random;
  /// Null: without TLS.
  std::shared_ptr<tls_keeper> tls;
  /// Who reads, over all I/O threads.
  std::shared_ptr<reader_census> readers;
};

/// Counts open connections; lets the server wait for the last one. Thread-safe.
class connection_counter
    : public std::enable_shared_from_this<connection_counter> {
 public:
  explicit connection_counter(metrics& figures) : figures_(figures) {}

  connection_slot open();
  size_t count() const noexcept { return count_; }
  /// False if there are still some at `until`.
  bool wait_for_none(steady_clock::time_point until);

 private:
  void closed();

  metrics& figures_;
  std::atomic<size_t> count_ = 0;
  std::mutex mutex_;
  std::condition_variable none_;
};

/// One io_context with the one thread that runs it, which is every
/// connection's strand; its HTTP sessions and its lane of readers.
class io_thread {
 public:
  explicit io_thread(const server_context& shared);
  /// Everything that is still open is dropped.
  ~io_thread();
  io_thread(const io_thread&) = delete;
  io_thread& operator=(const io_thread&) = delete;

  void start();
  /// Lets nothing in any more and joins the thread. Whatever belongs to the
  /// context may be destroyed from then on.
  void join();

  // -- any thread ------------------------------------------------------------

  executor get_executor() { return context_->get_executor(); }
  const gate_ptr& way_in() const noexcept { return way_in_; }
  const std::shared_ptr<lane>& readers() const noexcept { return readers_; }
  const server_context& shared() const noexcept { return shared_; }

  /// Serves what a client asks on `socket`, which belongs to this context;
  /// `refused`: only tells it that there are too many.
  void adopt(tcp_socket socket, connection_slot slot, bool refused);
  /// Sessions end after the request in flight, readers after their outbox.
  void drain(reader_end why);
  /// Closes all sockets.
  void abort();
  /// Ends the streams of those who are not `alive` any more.
  void recheck(const still_in& alive);

  // -- this thread -----------------------------------------------------------

  void add(http_session& s) { sessions_.insert(&s); }
  void remove(http_session& s) { sessions_.erase(&s); }
  bool draining() const noexcept { return draining_; }
  /// For the `Date` header.
  const std::string& date();

 private:
  void tick();

  server_context shared_;
  gate_ptr way_in_;
  std::shared_ptr<lane> readers_;
  std::unordered_set<http_session*> sessions_;
  bool draining_ = false;
  std::chrono::sys_seconds date_at_{};
  std::string date_;
  std::chrono::milliseconds tick_interval_;
  std::unique_ptr<asio::io_context> context_;
  std::unique_ptr<steady_timer> ticker_;
  std::thread thread_;
};

} // namespace eventweft::net

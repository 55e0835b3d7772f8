// SPDX-License-Identifier: Apache-2.0
#include "net/coalescing_stream.hpp"

#include <cassert>
#include <utility>

namespace eventweft::net {

coalescing_stream::coalescing_stream(tcp_socket socket, size_t limit)
    : socket_(std::move(socket)), limit_(limit) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
}

size_t coalescing_stream::send_now(std::string_view bytes) {
  if (pending() != 0 || waiting_ || failed_ || bytes.empty())
    return 0;
  error_code ec;
  const size_t n =
      socket_.write_some(asio::buffer(bytes.data(), bytes.size()), ec);
  if (ec && ec != asio::error::would_block) {
    failed_ = ec;
    abort();
  }
  return n;
}

void coalescing_stream::flush() {
  while (!waiting_ && pending() != 0) {
    if (failed_) {
      abort();
      return;
    }
    error_code ec;
    const size_t n =
        socket_.write_some(asio::buffer(outbox_.data() + sent_, pending()), ec);
    if (ec == asio::error::would_block) {
      wait_until_writable();
    } else if (ec) {
      failed_ = ec;
      abort();
    } else {
      consumed(n);
    }
  }
}

void coalescing_stream::consumed(size_t n) {
  sent_ += n;
  if (sent_ == outbox_.size()) {
    // Most readers are idle most of the time: they should cost nothing.
    std::string{}.swap(outbox_);
    sent_ = 0;
  } else if (sent_ > outbox_.size() / 2) {
    outbox_.erase(0, sent_);
    sent_ = 0;
  }
}

void coalescing_stream::wait_until_writable() {
  waiting_ = true;
  socket_.async_wait(
      tcp_socket::wait_write,
      [this, owner = owner_.lock()](const error_code& ec) { on_writable(ec); });
}

void coalescing_stream::on_writable(const error_code& ec) {
  waiting_ = false;
  if (ec) {
    failed_ = ec;
    abort();
    return;
  }
  flush();
  if (failed_)
    return;
  if (waiter_ && pending() <= waiter_level_)
    resume_waiter({});
  if (const auto owner = owner_.lock())
    owner->outbox_drained_some();
}

void coalescing_stream::abort() {
  if (!failed_)
    failed_ = asio::error::operation_aborted;
  error_code ignored;
  socket_.close(ignored);
  std::string{}.swap(outbox_);
  sent_ = 0;
  resume_waiter(failed_);
}

void coalescing_stream::wait(size_t level, std::unique_ptr<waiter> w) {
  assert(!waiter_);
  waiter_level_ = level;
  waiter_ = std::move(w);
  if (failed_ || pending() <= level)
    resume_waiter(failed_);
}

void coalescing_stream::resume_waiter(const error_code& ec) {
  if (const auto w = std::move(waiter_))
    w->resume(get_executor(), ec);
}

} // namespace eventweft::net

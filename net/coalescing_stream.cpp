// SPDX-License-Identifier: Apache-2.0
#include "net/coalescing_stream.hpp"

#include <cassert>
#include <utility>

namespace eventweft::net {

namespace {

/// Shorter runs are cheaper to copy than to send one by one.
constexpr size_t shared_from_bytes = 16u << 10;

} // namespace

coalescing_stream::coalescing_stream(transport socket, size_t limit)
    : socket_(std::move(socket)), limit_(limit) {
  error_code ignored;
  socket_.socket().non_blocking(true, ignored);
}

size_t coalescing_stream::send_now(std::string_view bytes) {
  if (pending() != 0 || waiting_ || failed_ || bytes.empty())
    return 0;
  error_code ec;
  const size_t n = socket_.write_now(bytes, ec);
  if (ec && ec != asio::error::would_block) {
    failed_ = ec;
    abort();
  } else if (socket_.unsent() != 0) {
    wait_until_writable();
  }
  return n;
}

void coalescing_stream::append_shared(
    const std::shared_ptr<const std::string>& bytes, size_t from, size_t to) {
  if (to - from < shared_from_bytes) {
    outbox_.append(*bytes, from, to - from);
    return;
  }
  if (const size_t own = outbox_.size() - sent_; own != 0) {
    const size_t start = std::exchange(sent_, 0);
    auto before =
        std::make_shared<const std::string>(std::exchange(outbox_, {}));
    shared_.push_back({std::move(before), start, start + own});
    shared_bytes_ += own;
  }
  shared_.push_back({bytes, from, to});
  shared_bytes_ += to - from;
}

std::string_view coalescing_stream::front() const noexcept {
  if (shared_.empty())
    return std::string_view{outbox_}.substr(sent_);
  const auto& s = shared_.front();
  return std::string_view{*s.bytes}.substr(s.from, s.to - s.from);
}

void coalescing_stream::flush() {
  while (!waiting_ && pending() != 0) {
    if (failed_) {
      abort();
      return;
    }
    const auto next = front();
    error_code ec;
    const size_t n = socket_.write_now(next, ec);
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
  if (!shared_.empty()) {
    auto& s = shared_.front();
    s.from += n;
    shared_bytes_ -= n;
    if (s.from == s.to)
      shared_.erase(shared_.begin());
    if (shared_.empty())
      std::vector<segment>{}.swap(shared_);
    return;
  }
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
  socket_.async_wait_writable(
      [this, owner = owner_.lock()](const error_code& ec) { on_writable(ec); });
}

void coalescing_stream::on_writable(const error_code& ec) {
  waiting_ = false;
  if (ec) {
    failed_ = ec;
    abort();
  } else {
    flush();
  }
  if (!failed_ && waiter_ && pending() <= waiter_level_)
    resume_waiter({});
  if (const auto owner = owner_.lock())
    owner->outbox_drained_some();
}

void coalescing_stream::abort() {
  if (!failed_)
    failed_ = asio::error::operation_aborted;
  error_code ignored;
  socket_.close(ignored);
  shared_.clear();
  shared_bytes_ = 0;
  std::string{}.swap(outbox_);
  sent_ = 0;
  resume_waiter(failed_);
}

void coalescing_stream::wait(size_t level, std::unique_ptr<waiter> w) {
  assert(!waiter_);
  waiter_level_ = level;
  waiter_ = std::move(w);
  flush();
  if (failed_ || pending() <= level)
    resume_waiter(failed_);
}

void coalescing_stream::resume_waiter(const error_code& ec) {
  if (const auto w = std::move(waiter_))
    w->resume(get_executor(), ec);
}

} // namespace eventweft::net

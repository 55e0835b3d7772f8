// SPDX-License-Identifier: Apache-2.0
#include "net/coalescing_stream.hpp"

#include <boost/asio/read.hpp>
#include <gtest/gtest.h>

namespace eventweft::net {
namespace {

/// Two ends of one TCP connection, ours with a small send buffer.
class coalescing : public testing::Test {
 protected:
  coalescing() {
    asio::basic_socket_acceptor<tcp, executor> door{
        context_.get_executor(), {asio::ip::address_v4::loopback(), 0}};
    peer_.open(tcp::v4());
    peer_.set_option(asio::socket_base::receive_buffer_size{4096});
    peer_.connect(door.local_endpoint());
    tcp_socket mine{context_.get_executor()};
    door.accept(mine);
    mine.set_option(asio::socket_base::send_buffer_size{4096});
    stream_.emplace(std::move(mine), limit);
  }

  std::string read(size_t n) {
    std::string got(n, '\0');
    asio::read(peer_, asio::buffer(got));
    return got;
  }

  /// Fills all buffers; returns what was written.
  std::string block() {
    std::string all;
    while (!stream_->blocked()) {
      const std::string piece(10'000, static_cast<char>('a' + all.size() % 26));
      stream_->outbox() += piece;
      all += piece;
      stream_->flush();
    }
    return all;
  }

  /// Runs handlers while reading, until `n` bytes came.
  std::string read_running(size_t n) {
    std::string got;
    char piece[4096];
    peer_.non_blocking(true);
    while (got.size() != n) {
      context_.restart();
      context_.poll();
      error_code ec;
      const auto m = peer_.read_some(
          asio::buffer(piece, std::min(sizeof(piece), n - got.size())), ec);
      got.append(piece, m);
      if (ec && ec != asio::error::would_block)
        break;
    }
    peer_.non_blocking(false);
    return got;
  }

  static constexpr size_t limit = 100;
  asio::io_context context_{1};
  tcp_socket peer_{context_.get_executor()};
  std::optional<coalescing_stream> stream_;
};

TEST_F(coalescing, WritesGatherUntilTheFlush) {
  error_code ec;
  EXPECT_EQ(stream_->write_some(asio::buffer("one ", 4), ec), 4u);
  EXPECT_EQ(stream_->write_some(asio::buffer("two ", 4), ec), 4u);
  stream_->outbox() += "three";
  EXPECT_EQ(stream_->pending(), 13u);
  EXPECT_EQ(peer_.available(), 0u);
  stream_->flush();
  EXPECT_EQ(stream_->pending(), 0u);
  EXPECT_EQ(read(13), "one two three");
}

TEST_F(coalescing, KeepsNoMemoryWhenEmpty) {
  stream_->outbox().assign(5000, 'x');
  stream_->flush();
  read_running(5000);
  EXPECT_EQ(stream_->pending(), 0u);
  EXPECT_LT(stream_->outbox().capacity(), 32u);
}

TEST_F(coalescing, SendNowGoesOnlyBeforeAnEmptyOutbox) {
  EXPECT_EQ(stream_->send_now("first "), 6u);
  stream_->outbox() += "second ";
  EXPECT_EQ(stream_->send_now("third"), 0u);
  stream_->flush();
  EXPECT_EQ(stream_->send_now("third"), 5u);
  EXPECT_EQ(read(18), "first second third");
}

TEST_F(coalescing, WhatTheSocketDoesNotTakeFollowsInOrder) {
  auto all = block();
  EXPECT_GT(stream_->pending(), 0u);
  EXPECT_EQ(stream_->send_now("no"), 0u);
  stream_->outbox() += "the end";
  all += "the end";
  EXPECT_EQ(read_running(all.size()), all);
  EXPECT_EQ(stream_->pending(), 0u);
  EXPECT_FALSE(stream_->blocked());
}

TEST_F(coalescing, LongRunsAreSharedAndKeepTheirPlace) {
  auto all = block();
  stream_->outbox() += "before ";
  const auto shared =
      std::make_shared<const std::string>(std::string(50'000, 's') + " cut");
  stream_->append_shared(shared, 10, 50'000);
  stream_->append_shared(shared, 50'000, 50'002);
  stream_->outbox() += "after";
  EXPECT_EQ(shared.use_count(), 2);
  all += "before " + std::string(49'990, 's') + " cafter";
  EXPECT_EQ(read_running(all.size()), all);
  EXPECT_EQ(stream_->pending(), 0u);
  EXPECT_EQ(shared.use_count(), 1);
}

TEST_F(coalescing, AWriteOfBeastCompletesAtOnceUnlessTooMuchWaits) {
  bool done = false;
  const auto on_done = [&](error_code ec, size_t n) {
    EXPECT_FALSE(ec);
    EXPECT_EQ(n, 4u);
    done = true;
  };
  stream_->async_write_some(asio::buffer("pong", 4), on_done);
  EXPECT_FALSE(done) << "a handler must not run inside the initiation";
  context_.poll();
  EXPECT_TRUE(done);
  EXPECT_EQ(read(4), "pong");

  done = false;
  auto all = block();
  while (stream_->pending() <= limit) {
    stream_->outbox() += std::string(1000, 'z');
    all += std::string(1000, 'z');
  }
  stream_->async_write_some(asio::buffer("pong", 4), on_done);
  context_.restart();
  context_.poll();
  EXPECT_FALSE(done);
  EXPECT_EQ(read_running(all.size() + 4), all + "pong");
  context_.restart();
  context_.poll();
  EXPECT_TRUE(done);
}

TEST_F(coalescing, DrainingWaitsForTheLastByte) {
  const auto all = block();
  std::optional<error_code> drained;
  stream_->async_drain([&](error_code ec) { drained = ec; });
  context_.restart();
  context_.poll();
  EXPECT_FALSE(drained);
  EXPECT_EQ(read_running(all.size()), all);
  context_.restart();
  context_.poll();
  ASSERT_TRUE(drained);
  EXPECT_FALSE(*drained);
}

TEST_F(coalescing, AbortEndsWhatWaits) {
  block();
  std::optional<error_code> drained;
  stream_->async_drain([&](error_code ec) { drained = ec; });
  stream_->abort();
  context_.restart();
  context_.poll();
  ASSERT_TRUE(drained);
  EXPECT_TRUE(*drained);
  EXPECT_TRUE(stream_->failed());
  EXPECT_EQ(stream_->pending(), 0u);
  EXPECT_EQ(stream_->send_now("x"), 0u);
}

TEST_F(coalescing, TellsItsOwnerAboutRoom) {
  struct counter final : outbox_owner {
    void outbox_drained_some() override { ++count; }
    int count = 0;
  };
  const auto owner = std::make_shared<counter>();
  stream_->own(owner);
  const auto all = block();
  EXPECT_EQ(owner->count, 0);
  read_running(all.size());
  EXPECT_GT(owner->count, 0);
}

} // namespace
} // namespace eventweft::net

// SPDX-License-Identifier: Apache-2.0
#include "net/gate.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>

namespace eventweft::net {
namespace {

class gate_test : public testing::Test {
 protected:
  void note(char c) {
    gate_->post([this, c] { seen_ += c; });
  }
  void elsewhere(char c) {
    std::thread{[this, c] { note(c); }}.join();
  }

  boost::asio::io_context context_{1};
  gate_ptr gate_ = std::make_shared<gate>(context_);
  std::string seen_;
};

TEST_F(gate_test, KeepsTheOrderOfCallsFromAllThreads) {
  // Asio would keep 'b' back until this handler ends, and let 'c' pass.
  boost::asio::post(context_, [this] {
    elsewhere('a');
    note('b');
    elsewhere('c');
    note('d');
  });
  context_.run();
  EXPECT_EQ(seen_, "abcd");
}

TEST_F(gate_test, WhatATaskPostsComesAfterWhatWaits) {
  gate_->post([this] {
    seen_ += 'a';
    note('c');
  });
  note('b');
  context_.run();
  EXPECT_EQ(seen_, "abc");
}

TEST_F(gate_test, AFailureCostsTheOthersNothing) {
  note('a');
  gate_->post([] { throw std::runtime_error{"out of something"}; });
  note('b');
  note('c');
  EXPECT_THROW(context_.run(), std::runtime_error);
  EXPECT_EQ(seen_, "a");
  context_.restart();
  context_.run();
  EXPECT_EQ(seen_, "abc");
}

TEST_F(gate_test, LetsNothingInOnceClosed) {
  const auto held = std::make_shared<int>(1);
  EXPECT_TRUE(gate_->post([held] {}));
  gate_->close();
  EXPECT_FALSE(gate_->post([held] {}));
  EXPECT_EQ(held.use_count(), 2);
  gate_->drop();
  EXPECT_EQ(held.use_count(), 1);
  context_.run();
}

} // namespace
} // namespace eventweft::net

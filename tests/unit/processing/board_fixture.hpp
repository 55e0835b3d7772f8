// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "processing/board.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace eventweft::processing {

/// What tests of the board share.
class board_fixture : public ::testing::Test {
 protected:
  static processor named(std::string name) {
    processor p;
    p.name = std::move(name);
    p.jitter = 0;
    p.may_end_process = false;
    p.concurrency = 100;
    p.handler = blocking_handler{[](const event_ptr&, const attempt_context&) {
      return outcome::done();
    }};
    return p;
  }

  static registered_ptr listed(processor p) {
    const codec::compiled_filter wanted{p.filter};
    return std::make_shared<registered>(registered{std::move(p), wanted, 1});
  }

  static event_ptr make(seq_t seq, priority level = priority::normal,
                        std::string source = "s") {
    event e;
    e.seq = seq;
    e.id.bytes[15] = static_cast<uint8_t>(seq);
    e.id.bytes[14] = static_cast<uint8_t>(seq >> 8);
    e.platform = "github";
    e.event_type = "push";
    e.source_id = std::move(source);
    e.priority = level;
    return event_ptr{std::move(e)};
  }

  static std::vector<seq_t> seqs(const std::vector<job>& jobs) {
    std::vector<seq_t> out;
    for (const auto& j : jobs)
      out.push_back(j.event->seq);
    return out;
  }

  seeded_random random{1};
  timestamp now{std::chrono::hours{1}};
};

} // namespace eventweft::processing

// SPDX-License-Identifier: Apache-2.0
#include "app/cluster_ring.hpp"

#include <gtest/gtest.h>

#include <string>

namespace eventweft {
namespace {

TEST(ClusterRing, IsReadAsItWasRung) {
  const control_event e{control_kind::rules, "a rule's name"};
  EXPECT_EQ(ring_text("node-1", e), "node-1 3 a rule's name");
  const auto rung = read_ring(ring_text("node-1", e));
  EXPECT_EQ(rung.node, "node-1");
  EXPECT_EQ(rung.event, e);
}

TEST(ClusterRing, WhatIsTooLongStandsForAnythingOfItsKind) {
  const auto rung = read_ring(
      ring_text("n", {control_kind::streams, std::string(7'000, 'x')}));
  EXPECT_EQ(rung.node, "n");
  EXPECT_EQ(rung.event, (control_event{control_kind::streams, ""}));
}

TEST(ClusterRing, TellsWhoRangOfWhatItDoesNotKnow) {
  const auto newer =
      read_ring("n " + std::to_string(last_control_kind + 1) + " x");
  EXPECT_EQ(newer.node, "n");
  EXPECT_FALSE(newer.event);
  EXPECT_FALSE(read_ring("n x y").event);
}

TEST(ClusterRing, KnowsWhatIsNoneOfOurs) {
  for (const auto* text : {"", general_ring, "n", "n 1"}) {
    EXPECT_EQ(read_ring(text).node, "") << text;
    EXPECT_FALSE(read_ring(text).event) << text;
  }
}

} // namespace
} // namespace eventweft

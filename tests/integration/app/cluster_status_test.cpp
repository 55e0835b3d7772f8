// SPDX-License-Identifier: Apache-2.0
// What people are told of a node that is being drained.
#include "app/cluster_status.hpp"
#include "telemetry/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace eventweft {
namespace {

using ::testing::HasSubstr;

TEST(ClusterStatus, SaysHowManyEventsOnlyThisNodeHas) {
  cluster_view view;
  view.draining = true;
  view.spooled = 3;
  EXPECT_THAT(status_json(view),
              HasSubstr(R"("draining":true,"left":false,"spooled":3)"));
}

TEST(ClusterStatus, SaysWhoIsSentEvents) {
  cluster_view view;
  node_record b, c, d;
  b.name = "b";
  c.name = "c";
  d.name = "d";
  view.nodes = {b, c, d};
  view.head = 7;
  view.links = {{"b", "up", {}, 5, true},
                {"c", "up", {}, 7, false},
                {"d", "down: the peer is silent", {}, 7, true}};
  const auto text = status_json(view);
  EXPECT_THAT(text, HasSubstr(R"("behind":2,"events":true)"));
  EXPECT_THAT(text, HasSubstr(R"("behind":0,"events":false)"));
  EXPECT_THAT(text, HasSubstr(R"("behind":null,"events":null)"));
}

TEST(ClusterStatus, SaysWhoAppendsForAll) {
  cluster_view view;
  EXPECT_THAT(status_json(view), HasSubstr(R"("appender":null)"));
  view.appender = "b";
  EXPECT_THAT(status_json(view), HasSubstr(R"("appender":"b")"));
}

TEST(ClusterStatus, WhatIsNotStoredYetIsCountedFromTheDoorToTheSpool) {
  metrics figures;
  EXPECT_EQ(figures.unanswered(), 0u);
  EXPECT_EQ(figures.spooled(), 0u);
  figures.set_ingest_in_flight(2);
  figures.set_writer_queue(5);
  figures.set_spool(7, 700);
  EXPECT_EQ(figures.unanswered(), 7u);
  EXPECT_EQ(figures.spooled(), 7u);
  figures.set_spool(0, 0);
  EXPECT_EQ(figures.spooled(), 0u);
}

} // namespace
} // namespace eventweft

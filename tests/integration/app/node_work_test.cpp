// SPDX-License-Identifier: Apache-2.0
// What a node tells the others that it runs.
#include "app/delivery_options.hpp"
#include "app/node_work.hpp"
#include "app/retention.hpp"
#include "config/loader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace eventweft {
namespace {

using ::testing::UnorderedElementsAre;

std::vector<std::string> work_by(const std::string& toml,
                                 std::set<subscription_type> types) {
  const auto loaded = config::load_text(toml, "c.toml", {});
  EXPECT_TRUE(loaded);
  auto delivering = subscriptions_options_of(loaded->values);
  const auto policy = retention_of(loaded->values);
  EXPECT_TRUE(delivering && policy);
  delivering->types = std::move(types);
  return work_of_node(*delivering, *policy);
}

TEST(NodeWork, IsWhatItIsConfiguredAndBuiltFor) {
  using enum subscription_type;
  EXPECT_THAT(work_by("", {webhook}),
              UnorderedElementsAre("metrics", "subscription:webhook"));
  EXPECT_THAT(work_by("[retention]\nkeep = \"90d\"\n", {webhook, kafka}),
              UnorderedElementsAre("metrics", "retention",
                                   "subscription:webhook",
                                   "subscription:kafka"));
  EXPECT_THAT(work_by("[platforms.github]\nkeep = \"90d\"\n"
                      "[webhooks]\nenabled = false\n",
                      {webhook, nats, kafka}),
              UnorderedElementsAre("metrics", "retention"));
}

} // namespace
} // namespace eventweft

// SPDX-License-Identifier: Apache-2.0
#include "codec/subscription_rows.hpp"

#include <gtest/gtest.h>

namespace eventweft::codec {
namespace {

TEST(subscription_rows, stored_forms_come_back) {
  const std::vector<std::string> list{"a", "\"b\"", ""};
  EXPECT_EQ(parse_text_list(text_list_json(list)), list);
  const outgoing::header_list headers{{"A", "1"}, {"B", "\"2\""}};
  EXPECT_EQ(parse_header_list(header_list_json(headers)), headers);
  replay_state r{3, 9, {}};
  r.filter.event_types = {"push"};
  EXPECT_EQ(parse_replay(replay_json(r)), r);
  for (const auto* bad : {"", "{}", "[1]", "[[\"a\"]]", "nonsense"}) {
    EXPECT_FALSE(parse_text_list(bad).has_value() && std::string{bad} != "[]");
    EXPECT_FALSE(parse_replay(bad));
  }
}

} // namespace
} // namespace eventweft::codec

// SPDX-License-Identifier: Apache-2.0
#include "messages/comma_list.hpp"

#include <gmock/gmock.h>

namespace eventweft {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(comma_list, parts_texts_at_commas) {
  EXPECT_THAT(comma_list("a"), ElementsAre("a"));
  EXPECT_THAT(comma_list(",a,, b,"), ElementsAre("a", " b"));
  EXPECT_THAT(comma_list(""), IsEmpty());
  EXPECT_THAT(comma_list(",,"), IsEmpty());
}

TEST(comma_list, takes_a_comma_behind_a_backslash_for_itself) {
  EXPECT_THAT(comma_list(R"(Doe\, Jane,bob)"), ElementsAre("Doe, Jane", "bob"));
  EXPECT_THAT(comma_list(R"(\,)"), ElementsAre(","));
  // What has no comma behind it is a backslash.
  EXPECT_THAT(comma_list(R"(CORP\ann,x\\y,z\)"),
              ElementsAre(R"(CORP\ann)", R"(x\\y)", R"(z\)"));
}

TEST(comma_list, escapes_any_one_item) {
  for (const std::string item :
       {"a", "Doe, Jane", ",", R"(a\)", R"(a\,b)", R"(\\,,\)"})
    EXPECT_THAT(comma_list(comma_escaped(item)), ElementsAre(item));
}

} // namespace
} // namespace eventweft

// SPDX-License-Identifier: Apache-2.0
#include "codec/list_json.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace eventweft::codec {
namespace {

TEST(ListJson, HoldsItemsAndWhereTheNextPageBegins) {
  const auto append = [](std::string& out, const std::string& item) {
    out += item;
  };
  const std::vector<std::string> none;
  EXPECT_EQ(list_json("things", none, append, ""),
            R"({"things":[],"next_cursor":null})");
  const std::vector<std::string> some{"{}", "[[", "7"};
  EXPECT_EQ(list_json("things", some, append, "a\"b"),
            R"({"things":[{},[[,7],"next_cursor":"a\"b"})");
}

} // namespace
} // namespace eventweft::codec

// SPDX-License-Identifier: Apache-2.0
#include "config/mask.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace eventweft::config {
namespace {

TEST(Mask, MasksPasswordsWhereverTheyStand) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"sqlite:eventweft.db", "sqlite:eventweft.db"},
      {"postgresql://u:pw@h/d", "postgresql://u:***@h/d"},
      {"postgresql://u:p@w/x?y@h:5/d", "postgresql://u:***@h:5/d"},
      {"postgresql://u@h:5432/d", "postgresql://u@h:5432/d"},
      {"postgresql:///d?user=u&password=pw&host=h",
       "postgresql:///d?user=u&password=***&host=h"},
      {"host=h password=pw user=u", "host=h password=*** user=u"},
      {"host=h password = 'p w\\' x' user=u", "host=h password =*** user=u"},
      {"host=h password=", "host=h password=***"},
      {"host=h password='open", "host=h password=***"},
      {"dbname=password", "dbname=password"},
  };
  for (const auto& [url, masked] : cases)
    EXPECT_EQ(mask_url(url), masked) << url;
}

TEST(Mask, MasksWhatAWebAddressProvesItselfWith) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", ""},
      {"https://h/a@b:c", "https://h/a@b:c"},
      {"http://u:p@w@h:8/x", "http://u:***@h:8/x"},
      {"https://token@h/x?y=@", "https://***@h/x?y=***"},
      {"https://h/x?key=s3cret&a=b&", "https://h/x?key=***&a=***&"},
      {"https://h?s3cret&&b=", "https://h?***&&b=***"},
      {"https://h/x?", "https://h/x?"},
      {"https://h/x#a?b", "https://h/x#a?***"},
      {"u:pw@h", "u:***@h"},
  };
  for (const auto& [url, masked] : cases)
    EXPECT_EQ(mask_web_url(url), masked) << url;
}

TEST(Mask, ShowsWhichVariablesThereAreAndNoMore) {
  EXPECT_EQ(mask_variable("API_TOKEN=a=b"), "API_TOKEN=***");
  EXPECT_EQ(mask_variable("API_TOKEN="), "API_TOKEN=***");
  EXPECT_EQ(mask_variable("HOME"), "HOME");
}

} // namespace
} // namespace eventweft::config

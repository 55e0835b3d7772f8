// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/persistence/store_fixture.hpp"

namespace eventweft::testing {
namespace {

using dead_letter_contract = store_contract;

dead_letter letter(int n) {
  auto e = numbered_event(n);
  dead_letter d;
  d.id = e.id;
  d.created_at = e.created_at;
  d.origin = "processor:notify";
  d.reason = "it said 'no' " + std::to_string(n);
  d.attempts = 3;
  d.event_id = numbered_event(n + 100).id;
  d.platform = "github";
  d.body = std::string{"raw\0bytes\xFF", 10};
  return d;
}

TEST_P(dead_letter_contract, ComesBackAsItWas) {
  auto bare = letter(2);
  bare.event_id.reset();
  bare.platform = bare.body = "";
  must(session_->add_dead_letter(letter(1)));
  must(session_->add_dead_letter(bare));
  EXPECT_EQ(must(session_->dead_letters({}, 10)),
            (std::vector{bare, letter(1)}));
}

TEST_P(dead_letter_contract, NewestFirstInPages) {
  for (int n = 1; n <= 5; ++n)
    must(session_->add_dead_letter(letter(n)));
  auto page = must(session_->dead_letters({}, 2));
  EXPECT_EQ(page, (std::vector{letter(5), letter(4)}));
  page = must(session_->dead_letters(page.back().id, 10));
  EXPECT_EQ(page, (std::vector{letter(3), letter(2), letter(1)}));
}

TEST_P(dead_letter_contract, AddingTwiceAddsOnce) {
  must(session_->add_dead_letter(letter(1)));
  must(session_->add_dead_letter(letter(1)));
  EXPECT_EQ(must(session_->dead_letters({}, 10)).size(), 1u);
}

TEST_P(dead_letter_contract, ReasonsThatAreNoTextAreKeptReadable) {
  auto d = letter(1);
  d.reason = std::string{"a\0b\xFF", 4};
  must(session_->add_dead_letter(d));
  EXPECT_EQ(must(session_->dead_letters({}, 1)).at(0).reason, "a\xEF\xBF\xBD"
                                                              "b\xEF\xBF\xBD");
}

TEST_P(dead_letter_contract, Drops) {
  must(session_->add_dead_letter(letter(1)));
  EXPECT_TRUE(must(session_->drop_dead_letter(letter(1).id)));
  EXPECT_FALSE(must(session_->drop_dead_letter(letter(1).id)));
  EXPECT_TRUE(must(session_->dead_letters({}, 10)).empty());
}

INSTANTIATE_TEST_SUITE_P(Engines, dead_letter_contract, both_engines,
                         engine_name);

} // namespace
} // namespace eventweft::testing

// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/github.hpp"
#include "tests/unit/platforms/support.hpp"

namespace eventweft::platforms {
namespace {

class answer_test : public platform_test {
 protected:
  platform_ptr platform_ = make_github(parts()).value();

  static event_outcome stored(seq_t seq, bool duplicate = false) {
    append_outcome out;
    out.id = uuid::parse("0190a0b0-0000-7000-8000-000000000001").value();
    out.seq = seq;
    out.duplicate = duplicate;
    out.spooled = seq == 0;
    return out;
  }

  webhook_answer answer(std::vector<event_outcome> outcomes,
                        bool batch = false) {
    acceptance a;
    a.batch = batch;
    return platform_->answer(a, outcomes);
  }
};

TEST_F(answer_test, says_what_was_stored) {
  const auto a = answer({stored(5)});
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.content_type, "application/json");
  EXPECT_EQ(a.body, R"({"id":"0190a0b0-0000-7000-8000-000000000001",)"
                    R"("seq":5,"duplicate":false})");
}

TEST_F(answer_test, says_that_it_only_waits_in_the_spool) {
  const auto a = answer({stored(0)});
  EXPECT_EQ(a.status, 202);
  EXPECT_NE(a.body.find(R"("spooled":true)"), std::string::npos);
}

TEST_F(answer_test, turns_errors_into_problems) {
  const auto a = answer({fail(ec::store_full, "no room")});
  EXPECT_EQ(a.status, 503);
  EXPECT_EQ(a.content_type, "application/problem+json");
  ASSERT_EQ(a.headers.size(), 1u);
  EXPECT_EQ(a.headers[0].first, "Retry-After");
  EXPECT_EQ(a.headers[0].second, "5");
  EXPECT_EQ(answer({fail(ec::row_refused, "no")}).status, 422);
}

TEST_F(answer_test, gives_one_result_an_item_of_a_batch) {
  const auto a =
      answer({stored(5), fail(ec::row_refused, "no"), stored(6)}, true);
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.body.front(), '[');
  EXPECT_NE(a.body.find(R"("seq":5)"), std::string::npos);
  EXPECT_NE(a.body.find(R"("status":422)"), std::string::npos);
  EXPECT_NE(a.body.find(R"("seq":6)"), std::string::npos);
}

TEST_F(answer_test, puts_a_handlers_reply_into_its_item_of_a_batch) {
  acceptance a;
  a.batch = true;
  a.refused = {std::nullopt, error{ec::unprocessable, "item 1: no"},
               std::nullopt, std::nullopt};
  a.replies = {std::nullopt, webhook_answer{200, "text/plain", {}, "\"dep\"\n"},
               webhook_answer{200, "text/plain", {}, "of what failed"}};
  const std::vector<event_outcome> outcomes{stored(5), stored(6),
                                            fail(ec::row_refused, "no")};
  const auto answer = platform_->answer(a, outcomes);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "application/json");
  simdjson::dom::parser parser;
  const simdjson::dom::array items = parser.parse(answer.body).get_array();
  ASSERT_EQ(items.size(), 4u);
  EXPECT_EQ(int64_t{items.at(0)["seq"]}, 5);
  EXPECT_TRUE(items.at(0)["reply"].error());
  EXPECT_EQ(int64_t{items.at(1)["status"]}, 422);
  EXPECT_EQ(int64_t{items.at(2)["seq"]}, 6);
  EXPECT_EQ(int64_t{items.at(2)["reply"]["status"]}, 200);
  EXPECT_EQ(std::string_view{items.at(2)["reply"]["content_type"]},
            "text/plain");
  EXPECT_EQ(std::string_view{items.at(2)["reply"]["body"]}, "\"dep\"\n");
  EXPECT_TRUE(items.at(3)["reply"].error());
}

TEST_F(answer_test, fails_a_batch_of_which_nothing_could_be_stored) {
  const auto a =
      answer({fail(ec::store_full, "no"), fail(ec::store_full, "no")}, true);
  EXPECT_EQ(a.status, 503);
}

TEST_F(answer_test, gives_a_handshakes_own_answer) {
  acceptance a;
  a.answer = webhook_answer{.status = 200,
                            .content_type = "text/plain",
                            .headers = {},
                            .body = "challenge"};
  EXPECT_EQ(platform_->answer(a, {}).body, "challenge");
}

} // namespace
} // namespace eventweft::platforms

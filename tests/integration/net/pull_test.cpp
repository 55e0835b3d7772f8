// SPDX-License-Identifier: Apache-2.0
// Pull mode: never more than was asked for, never a gap.
#include "fixture.hpp"

namespace eventweft::net {
namespace {

using namespace std::chrono_literals;

class pull_mode : public server_test {
 protected:
  /// How many events come before the answer to what is sent now.
  static std::vector<seq_t> taken(ws_client& c) {
    c.send("?");
    std::vector<seq_t> seqs;
    for (;;) {
      const auto text = c.read();
      if (!text || text->starts_with(R"({"error")"))
        return seqs;
      seqs.push_back(seq_of(*text));
    }
  }
  static std::vector<seq_t> run(seq_t first, seq_t last) {
    std::vector<seq_t> seqs;
    for (auto s = first; s <= last; ++s)
      seqs.push_back(s);
    return seqs;
  }
  bool settled() {
    return backend_.wait([&] { return backend_.settled(); });
  }
};

TEST_F(pull_mode, GetsWhatItAskedForAndNoMore) {
  start();
  ws_client c{port_, "/ws/events/all_events?credit=0"};
  ASSERT_TRUE(backend_.wait([&] { return backend_.joins() == 1; }));
  backend_.commit(10);
  ASSERT_TRUE(settled());
  EXPECT_EQ(taken(c), run(1, 0));
  c.send(R"({"credit":3})");
  for (seq_t s = 1; s <= 3; ++s)
    EXPECT_EQ(c.read_seq(), s);
  EXPECT_EQ(taken(c), run(1, 0));
  c.send(R"({"credit":1})");
  c.send(R"({"credit":1})");
  EXPECT_EQ(c.read_seq(), 4);
  EXPECT_EQ(c.read_seq(), 5);
  EXPECT_EQ(taken(c), run(1, 0));
  c.send(R"({"credit":100})");
  for (seq_t s = 6; s <= 10; ++s)
    EXPECT_EQ(c.read_seq(), s);
  // 95 are left: live again.
  for (seq_t s = 11; s <= 105; ++s) {
    backend_.commit(1);
    EXPECT_EQ(c.read_seq(), s);
  }
  backend_.commit(5);
  ASSERT_TRUE(settled());
  EXPECT_EQ(taken(c), run(1, 0));
}

TEST_F(pull_mode, BeginsWithTheFirstGrant) {
  start();
  ws_client c{port_, "/ws/events/all_events"};
  ASSERT_TRUE(backend_.wait([&] { return backend_.joins() == 1; }));
  backend_.commit(2);
  EXPECT_EQ(c.read_seq(), 1);
  EXPECT_EQ(c.read_seq(), 2);
  c.send(R"({"credit":1})");
  EXPECT_EQ(taken(c), run(1, 0));
  backend_.commit(4);
  EXPECT_EQ(c.read_seq(), 3);
  ASSERT_TRUE(settled());
  EXPECT_EQ(taken(c), run(1, 0));
}

TEST_F(pull_mode, StartsWhereItConnectedThoughItAsksLater) {
  backend_.commit(5);
  start();
  ws_client c{port_, "/ws/events/all_events?credit=0&progress=true"};
  EXPECT_EQ(c.read(), R"({"cursor":5})");
  backend_.commit(3);
  ASSERT_TRUE(settled());
  c.send(R"({"credit":10})");
  for (seq_t s = 6; s <= 8; ++s)
    EXPECT_EQ(c.read_seq(), s);
}

TEST_F(pull_mode, CatchesUpInItsOwnTime) {
  backend_.ring_events = 10;
  backend_.page_events = 7;
  backend_.commit(100);
  start();
  ws_client c{port_, "/ws/events/all_events?since=earliest&credit=1"};
  EXPECT_EQ(c.read_seq(), 1);
  seq_t next = 2;
  for (int i = 1; next <= 100; ++i) {
    EXPECT_EQ(taken(c), run(1, 0));
    c.send(R"({"credit":)" + std::to_string(i) + '}');
    for (int n = 0; n != i && next <= 100; ++n)
      ASSERT_EQ(c.read_seq(), next++);
  }
}

TEST_F(pull_mode, OnlyWhatMatchesCosts) {
  start();
  ws_client c{port_, "/ws/events/issue_events?credit=2"};
  ASSERT_TRUE(backend_.wait([&] { return backend_.joins() == 1; }));
  backend_.commit(50, "push");
  backend_.commit(1, "issues");
  backend_.commit(50, "push");
  backend_.commit(2, "issues");
  EXPECT_EQ(c.read_seq(), 51);
  EXPECT_EQ(c.read_seq(), 102);
  ASSERT_TRUE(settled());
  EXPECT_EQ(taken(c), run(1, 0));
  c.send(R"({"credit":1})");
  EXPECT_EQ(c.read_seq(), 103);
}

TEST_F(pull_mode, CreditIsForTheFilterThatComesAlong) {
  backend_.commit(3, "push");
  backend_.commit(2, "issues");
  start();
  ws_client c{port_, "/ws/events/all_events?since=earliest&credit=1"};
  // From here on the next ones wait in the reader, by the old filter.
  EXPECT_EQ(c.read_seq(), 1);
  c.send(R"({"filter":{"event_types":["issues"]},"credit":3})");
  EXPECT_EQ(c.read_seq(), 4);
  EXPECT_EQ(c.read_seq(), 5);
  EXPECT_EQ(taken(c), run(1, 0));
}

TEST_F(pull_mode, RefusesABadGrantAndStaysOpen) {
  start();
  ws_client c{port_, "/ws/events/all_events?credit=0"};
  for (const auto* bad : {R"({"credit":-1})", R"({"credit":"5"})",
                          R"({"credit":1e3})", R"({"credit":1000000001})"}) {
    c.send(bad);
    const auto answer = c.read();
    ASSERT_TRUE(answer);
    EXPECT_NE(answer->find("credit"), std::string::npos) << *answer;
  }
  for (const auto* bad : {"-1", "x", "1000000001", ""})
    EXPECT_EQ(connect()
                  .ask(get(std::string{"/ws/events/all_events?credit="} + bad))
                  .status,
              400)
        << bad;
}

} // namespace
} // namespace eventweft::net

// SPDX-License-Identifier: Apache-2.0
#include "actors/cluster/link_channel.hpp"
#include "codec/event_json.hpp"
#include "tests/support/memory_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <set>

namespace eventweft::link {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Signs with its own name; checks that the name signed.
class named_identity final : public identity {
 public:
  explicit named_identity(std::string name) : name_(std::move(name)) {}
  std::string certificate() const override { return "certificate " + name_; }
  expected<std::string> sign(std::string_view text) const override {
    return name_ + ":" + std::to_string(std::hash<std::string_view>{}(text));
  }
  expected<void> verify(const std::string& certificate, const std::string& name,
                        std::string_view text,
                        std::string_view signature) const override {
    if (certificate != "certificate " + name)
      return fail(ec::unauthorized, "a certificate for another name");
    if (signature !=
        name + ":" + std::to_string(std::hash<std::string_view>{}(text)))
      return fail(ec::unauthorized, "a bad signature");
    return {};
  }

 private:
  std::string name_;
};

struct end final : channel_port {
  std::deque<std::string> out;
  std::vector<seq_t> taken;
  std::vector<seq_t> heads;
  std::vector<control_event> changes;
  std::vector<reply_item> replies;
  std::vector<append_item> asked_for;
  std::vector<appended_item> answers;
  int lost_count = 0;
  int ups = 0;
  int downs = 0;
  bool was_refusal = false;
  size_t skipped_events = 0;
  std::string reason;
  nanoseconds trip{0};

  void send(std::string bytes) override { out.push_back(std::move(bytes)); }
  void up(const hello&, uint32_t) override { ++ups; }
  void down(const std::string& why, bool refusal) override {
    ++downs;
    reason = why;
    was_refusal = refusal;
  }
  std::vector<thread_news> news;
  void take(log_range_ptr r) override {
    if (!r->news.empty())
      news.push_back(r->news);
    for (const auto& ev : r->events)
      taken.push_back(ev->seq);
  }
  void reaches(seq_t head) override {
    if (heads.empty() || heads.back() != head)
      heads.push_back(head);
  }
  void changed(const control_event& e) override { changes.push_back(e); }
  void replied(reply_item x) override { replies.push_back(std::move(x)); }
  void asked(append_item x) override { asked_for.push_back(std::move(x)); }
  void answered(appended_item x) override { answers.push_back(std::move(x)); }
  void lost() override { ++lost_count; }
  std::vector<bool> interests;
  void interested(bool events) override { interests.push_back(events); }
  void round_trip(nanoseconds d) override { trip = d; }
  void skipped(size_t n) override { skipped_events += n; }
};

log_range range(seq_t first, seq_t last, size_t size = 20) {
  log_range out{first, last, {}};
  for (auto n = first; n <= last; ++n) {
    auto e = testing::make_event(static_cast<int>(n), "github", "push", size);
    e.seq = n;
    out.events.emplace_back(std::move(e));
  }
  return out;
}

/// Two ends and what is between them.
struct link_channel : ::testing::Test {
  link_channel() { fresh(); }

  void fresh() {
    a_options = {};
    a_options.me.node = "a";
    a_options.me.store = uuid{{1}};
    a_options.peer = "b";
    b_options = a_options;
    b_options.peer = "";
    b_options.me.node = "b";
    a_self = std::make_unique<named_identity>("a");
    b_self = std::make_unique<named_identity>("b");
    a_end = {};
    b_end = {};
  }

  void open() {
    a = std::make_unique<channel>(a_options, *a_self, a_end,
                                  std::string(nonce_bytes, 'a'), now);
    b = std::make_unique<channel>(b_options, *b_self, b_end,
                                  std::string(nonce_bytes, 'b'), now);
    a->start();
    exchange();
  }

  bool pass() {
    if (loss == 0)
      return true;
    return random->next() % 100 >= loss;
  }

  void exchange() {
    while (!a_end.out.empty() || !b_end.out.empty()) {
      if (!a_end.out.empty()) {
        const auto bytes = a_end.out.front();
        a_end.out.pop_front();
        if (pass() && !cut)
          b->receive(bytes, now);
      }
      if (!b_end.out.empty() && !b_is_slow) {
        const auto bytes = b_end.out.front();
        b_end.out.pop_front();
        if (pass() && !cut)
          a->receive(bytes, now);
      } else if (b_is_slow && a_end.out.empty()) {
        return;
      }
    }
  }

  void advance(nanoseconds by, seq_t a_head = 0, seq_t b_head = 0) {
    for (const auto until = now + by; now < until;) {
      now += 100ms;
      a->tick(now, a_head);
      b->tick(now, b_head);
      exchange();
    }
  }

  nanoseconds now{1h};
  channel_options a_options, b_options;
  std::unique_ptr<identity> a_self = std::make_unique<named_identity>("a");
  std::unique_ptr<identity> b_self = std::make_unique<named_identity>("b");
  end a_end, b_end;
  std::unique_ptr<channel> a, b;
  std::unique_ptr<seeded_random> random = std::make_unique<seeded_random>(3);
  uint64_t loss = 0;
  bool cut = false;
  bool b_is_slow = false;
};

TEST_F(link_channel, TwoNodesMeet) {
  open();
  EXPECT_TRUE(a->up());
  EXPECT_TRUE(b->up());
  EXPECT_EQ(b->peer().node, "a");
  a->send(range(1, 3));
  b->send(control_event{control_kind::keys, "k1"});
  exchange();
  EXPECT_THAT(b_end.taken, ElementsAre(1, 2, 3));
  EXPECT_THAT(a_end.changes,
              ElementsAre(control_event{control_kind::keys, "k1"}));
  advance(1s, 3, 2);
  EXPECT_EQ(a->in_flight(), 0u);
  EXPECT_EQ(a->peer_head(), 2);
  EXPECT_EQ(b->peer_head(), 3);
  EXPECT_EQ(b_end.lost_count, 0);
}

TEST_F(link_channel, WhatDoesNotFitIsRefusedOnBothSidesWithTheReason) {
  struct misfit {
    const char* words;
    std::function<void(link_channel&)> make;
  };
  const misfit all[] = {
      {"another store",
       [](link_channel& t) { t.b_options.me.store = uuid{{2}}; }},
      {"table of types", [](link_channel& t) { t.b_options.me.types = 7; }},
      {"no common protocol",
       [](link_channel& t) {
         t.b_options.me.protocol_min = 2;
         t.b_options.me.protocol = 3;
       }},
      {"where b should be",
       [](link_channel& t) {
         t.b_options.me.node = "c";
         t.b_self = std::make_unique<named_identity>("c");
       }},
      {"both nodes have the name",
       [](link_channel& t) { t.b_options.me.node = "a"; }},
      {"certificate for another name",
       [](link_channel& t) {
         t.b_self = std::make_unique<named_identity>("mallory");
       }},
      {"certificate for another name",
       [](link_channel& t) {
         t.a_self = std::make_unique<named_identity>("mallory");
       }},
  };
  for (const auto& one : all) {
    SCOPED_TRACE(one.words);
    fresh();
    one.make(*this);
    open();
    EXPECT_THAT(a_end.reason, HasSubstr(one.words));
    EXPECT_THAT(b_end.reason, HasSubstr(one.words));
    EXPECT_TRUE(a_end.was_refusal);
    EXPECT_TRUE(b_end.was_refusal);
    EXPECT_TRUE(a->dead());
    EXPECT_TRUE(b->dead());
  }
}

// Of two programs, the newer speaks the older one's protocol.
TEST_F(link_channel, TwoVersionsOfTheProtocolAgreeOnTheOlder) {
  b_options.me.protocol = 2;
  open();
  EXPECT_TRUE(a->up());
  EXPECT_TRUE(b->up());
}

TEST_F(link_channel, AHandlersReplyGoesToThoseWhoKnowReplies) {
  const reply_item one{uuid{{1}}, processing::reply{200, "text/plain", "hi"}};
  const reply_item none{uuid{{2}}, std::nullopt};
  for (const auto newest : {oldest_protocol, newest_protocol}) {
    fresh();
    a_options.me.protocol = newest_protocol;
    b_options.me.protocol = newest;
    open();
    a->send(one);
    a->send(none);
    b->send(one);
    exchange();
    EXPECT_TRUE(a->up() && b->up());
    const auto knows = newest >= replies_protocol;
    EXPECT_EQ(b_end.replies,
              knows ? (std::vector{one, none}) : std::vector<reply_item>{});
    EXPECT_EQ(a_end.replies.size(), knows ? 1u : 0u);
  }
}

// A release that appends: during the roll its nodes say what older ones do not
// know, and the links stay.
TEST_F(link_channel, WhatANewerProgramSaysIsAReasonToLookAtTheStore) {
  open();
  ASSERT_TRUE(b->up());
  const auto change = static_cast<control_kind>(uint8_t{last_control_kind + 1});
  b->receive(encode(data{1, control_event{change, "name"}}), now);
  EXPECT_EQ(b_end.lost_count, 1);
  b->receive(encode(data{2, newer_item{200, std::string("\0x", 2)}}), now);
  EXPECT_EQ(b_end.lost_count, 2);
  b->receive(encode(data{3, control_event{control_kind::keys, "k"}}), now);
  EXPECT_THAT(b_end.changes,
              ElementsAre(control_event{control_kind::keys, "k"}));
  EXPECT_TRUE(b->up());
}

TEST_F(link_channel, AReplyThatHasNoRoomIsDropped) {
  a_options.me.protocol = b_options.me.protocol = newest_protocol;
  open();
  a->send(reply_item{
      uuid{{1}}, processing::reply{200, "text/plain",
                                   std::string(frame_fill_bytes + 1, 'x')}});
  exchange();
  EXPECT_TRUE(b_end.replies.empty());
  EXPECT_TRUE(a->up() && b->up());
}

TEST_F(link_channel, AppendsForThePeerGoThereAndTheirOutcomesComeBack) {
  const append_item batch{7, "events"};
  const appended_item outcomes{
      7,
      {{uuid{{1}}, appended::kind::stored, 5, ""},
       {uuid{{2}}, appended::kind::duplicate, 3, ""},
       {uuid{{3}}, appended::kind::refused, 0, "bad row"},
       {uuid{{4}}, appended::kind::not_taken, 0, "away"}}};
  for (const auto newest : {news_protocol, newest_protocol}) {
    fresh();
    a_options.me.protocol = newest_protocol;
    b_options.me.protocol = newest;
    open();
    const auto knows = newest >= relay_protocol;
    EXPECT_EQ(a->send(batch), knows);
    exchange();
    EXPECT_EQ(b_end.asked_for,
              knows ? std::vector{batch} : std::vector<append_item>{});
    if (!knows)
      continue;
    b->send(outcomes);
    exchange();
    EXPECT_THAT(a_end.answers, ElementsAre(outcomes));
    EXPECT_TRUE(a->up() && b->up());
  }
}

TEST_F(link_channel, AppendsWithoutRoomAreNotSentAndTheirOutcomesWait) {
  a_options.me.protocol = b_options.me.protocol = newest_protocol;
  a_options.window = b_options.window = 64u << 10;
  open();
  advance(1s);
  EXPECT_FALSE(a->send(append_item{1, std::string(max_frame_bytes, 'x')}));
  // b's own events fill what a has room for.
  cut = true;
  b->send(range(1, 3, 40'000));
  cut = false;
  b->send(appended_item{
      1, {{uuid{{1}}, appended::kind::stored, 9, std::string(50'000, 'x')}}});
  EXPECT_TRUE(a_end.answers.empty());
  advance(2s, 3);
  ASSERT_EQ(a_end.answers.size(), 1u);
  EXPECT_EQ(a_end.answers[0].events[0].seq, 9);
}

TEST_F(link_channel, ASignatureIsGoodForOneHandshakeOnly) {
  open();
  // What b signed for one nonce, said again to another.
  end fresh_end, old_end;
  channel first{a_options, *a_self, old_end, std::string(nonce_bytes, 'x'),
                now};
  channel second{a_options, *a_self, fresh_end, std::string(nonce_bytes, 'y'),
                 now};
  channel other{b_options, *b_self, b_end, std::string(nonce_bytes, 'b'), now};
  first.start();
  second.start();
  b_end.out.clear();
  other.receive(old_end.out.front(), now);
  ASSERT_EQ(b_end.out.size(), 1u);
  second.receive(b_end.out.front(), now);
  EXPECT_TRUE(second.dead());
  EXPECT_THAT(fresh_end.reason, HasSubstr("signature"));
}

TEST_F(link_channel, LossIsNoticedAndNothingIsDoneTwice) {
  open();
  cut = true;
  a->send(range(1, 2));
  exchange();
  cut = false;
  a->send(range(3, 4));
  exchange();
  EXPECT_THAT(b_end.taken, ElementsAre(3, 4));
  EXPECT_EQ(b_end.lost_count, 1);
  // The last one of all: the next ping tells.
  cut = true;
  a->send(range(5, 5));
  exchange();
  cut = false;
  advance(1s, 5);
  EXPECT_EQ(b_end.lost_count, 2);
  EXPECT_EQ(b_end.heads.back(), 5);
  EXPECT_EQ(a->in_flight(), 0u);
}

TEST_F(link_channel, ASilentPeerIsDown) {
  open();
  cut = true;
  advance(2'500ms);
  EXPECT_FALSE(a->dead());
  advance(1s);
  EXPECT_TRUE(a->dead());
  EXPECT_TRUE(b->dead());
  EXPECT_THAT(a_end.reason, HasSubstr("silent"));
  EXPECT_EQ(a_end.downs, 1);
}

TEST_F(link_channel, AHandshakeThatDoesNotEndEnds) {
  cut = true;
  open();
  advance(5s);
  EXPECT_TRUE(a->dead());
  EXPECT_TRUE(b->dead());
}

TEST_F(link_channel, ASlowPeerCostsNoMoreThanItsCreditAndIsToldHowFarTheLogIs) {
  b_options.window = 64 << 10;
  open();
  b_is_slow = true;
  size_t most = 0;
  for (seq_t n = 1; n <= 5'000; ++n) {
    a->send(range(n, n, 1'000));
    a->send(control_event{control_kind::keys, std::to_string(n)});
    most = std::max<size_t>(most, a->in_flight());
    // Nothing is taken at the other end, and no frame is kept at this one.
  }
  EXPECT_LE(most, 64u << 10);
  EXPECT_LE(a->waiting(), 256u);
  EXPECT_GT(a_end.skipped_events, 900u);
  b_is_slow = false;
  advance(1s, 5'000);
  EXPECT_EQ(b_end.heads.back(), 5'000);
  EXPECT_EQ(a->in_flight(), 0u);
  EXPECT_EQ(a->waiting(), 0u);
  a->send(range(5'001, 5'001));
  exchange();
  EXPECT_EQ(b_end.taken.back(), 5'001) << "live again";
  // What was too much to tell one by one was told as "anything".
  EXPECT_NE(
      std::ranges::find(b_end.changes, control_event{control_kind::keys, ""}),
      b_end.changes.end());
}

TEST_F(link_channel, LargeRangesGoInPieces) {
  open();
  a->send(range(1, 200, 10'000));
  for (const auto& bytes : a_end.out)
    EXPECT_LE(bytes.size(), frame_fill_bytes + 1'024);
  EXPECT_GT(a_end.out.size(), 5u);
  exchange();
  ASSERT_EQ(b_end.taken.size(), 200u);
  EXPECT_TRUE(std::ranges::is_sorted(b_end.taken));
}

TEST_F(link_channel, AnEventThatFitsIntoNoFrameIsReadFromTheStore) {
  open();
  auto r = range(1, 3);
  auto big = *r.events[1];
  big.payload = shared_text{'"' + std::string(600'000, 'x') + '"'};
  r.events[1] = event_ptr{std::move(big)};
  a->send(r);
  exchange();
  EXPECT_THAT(b_end.taken, ElementsAre(1, 3));
  EXPECT_THAT(b_end.heads, ::testing::Contains(2));
}

TEST_F(link_channel, APongThatWasMadeUpTellsNoTime) {
  open();
  advance(1s);
  const auto trip = a_end.trip;
  for (const uint64_t stamp : {uint64_t{1} << 63, ~uint64_t{0}}) {
    a->receive(encode(pong{stamp, 0}), now);
    EXPECT_EQ(a_end.trip, trip);
    EXPECT_TRUE(a->up());
  }
}

TEST_F(link_channel, RandomBytesEndTheLinkAndNothingElse) {
  open();
  for (int i = 0; i < 200; ++i) {
    std::string bytes;
    for (auto n = random->next() % 200; n > 0; --n)
      bytes.push_back(static_cast<char>(random->next()));
    channel one{b_options, *b_self, b_end, std::string(nonce_bytes, 'b'), now};
    one.receive(bytes, now);
    one.receive(bytes, now);
  }
  a->receive("rubbish", now);
  EXPECT_TRUE(a->dead());
  EXPECT_EQ(a_end.downs, 1);
  a->receive("more", now);
  a->send(range(1, 1));
  EXPECT_EQ(a_end.downs, 1);
}

// Whatever is lost, what comes is in order and once, and at the end the peer
// knows how far the log is.
TEST_F(link_channel, ALossyTransportCostsEventsButNoOrder) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    random = std::make_unique<seeded_random>(seed);
    loss = 0;
    fresh();
    open();
    ASSERT_TRUE(a->up());
    ASSERT_TRUE(b->up());
    loss = 20;
    seq_t head = 0;
    for (int round = 0; round < 60 && !a->dead() && !b->dead(); ++round) {
      const auto n = static_cast<seq_t>(1 + random->next() % 5);
      a->send(range(head + 1, head + n, random->next() % 2'000));
      head += n;
      exchange();
      advance(100ms, head);
    }
    loss = 0;
    advance(2s, head);
    if (a->dead() || b->dead())
      continue;
    EXPECT_TRUE(std::ranges::is_sorted(b_end.taken));
    EXPECT_EQ(std::ranges::adjacent_find(b_end.taken), b_end.taken.end());
    EXPECT_EQ(b->peer_head(), head);
    EXPECT_EQ(b_end.heads.back(), head);
    EXPECT_EQ(a->in_flight(), 0u);
    if (b_end.taken.size() < static_cast<size_t>(head)) {
      EXPECT_GT(b_end.lost_count, 0);
    }
  }
}

TEST_F(link_channel, WhatEventsChangedOfEarlierOnesComesWithThem) {
  a_options.me.protocol = b_options.me.protocol = news_protocol;
  open();
  auto told = range(3, 4);
  told.news.links = {{uuid{{1}}, uuid{{2}}, uuid{{3}}}};
  told.news.names = {{uuid{{4}}, uuid{{2}}}};
  a->send(told);
  a->send(range(5, 5));
  exchange();
  EXPECT_THAT(b_end.taken, ElementsAre(3, 4, 5));
  EXPECT_THAT(b_end.news, ElementsAre(told.news));
  // What is too large for a frame is read from the store with the events.
  told.news.links.resize(frame_fill_bytes / 32);
  told.first = 6;
  told.last = 7;
  a->send(told);
  exchange();
  EXPECT_THAT(b_end.taken, ElementsAre(3, 4, 5));
  EXPECT_EQ(b_end.heads.back(), 7);
}

TEST_F(link_channel, AnOlderPeerGetsTheEventsAlone) {
  a_options.me.protocol = news_protocol;
  b_options.me.protocol = news_protocol - 1;
  open();
  auto told = range(3, 4);
  told.news.links = {{uuid{{1}}, uuid{{2}}, {}}};
  a->send(told);
  exchange();
  EXPECT_THAT(b_end.taken, ElementsAre(3, 4));
  EXPECT_THAT(b_end.news, IsEmpty());
  EXPECT_EQ(b_end.lost_count, 0);
}

// -- interest -----------------------------------------------------------------

struct link_interest : link_channel {
  link_interest() {
    a_options.me.protocol = b_options.me.protocol = interest_protocol;
  }
};

TEST_F(link_interest, WhereNobodyReadsItIsEnoughToKnowHowFarTheLogIs) {
  open();
  a->send(range(1, 1));
  exchange();
  EXPECT_THAT(b_end.taken, ElementsAre(1)) << "who says nothing gets events";
  EXPECT_THAT(a_end.interests, IsEmpty());
  b->want_events(false);
  exchange();
  EXPECT_THAT(a_end.interests, ElementsAre(false));
  auto told = range(2, 4);
  told.news.names = {{uuid{{4}}, uuid{{2}}}};
  a->send(told);
  b->send(range(5, 5));
  exchange();
  EXPECT_THAT(b_end.taken, ElementsAre(1));
  EXPECT_THAT(b_end.news, IsEmpty());
  EXPECT_EQ(b_end.heads.back(), 4);
  EXPECT_EQ(b->peer_head(), 4);
  EXPECT_THAT(a_end.taken, ElementsAre(5)) << "it is for each side to say";
  EXPECT_EQ(a_end.skipped_events, 0u);
  b->want_events(true);
  exchange();
  a->send(range(6, 6));
  exchange();
  EXPECT_THAT(b_end.taken, ElementsAre(1, 6));
  EXPECT_THAT(a_end.interests, ElementsAre(false, true));
  advance(2s, 6, 6);
  EXPECT_EQ(a->in_flight() + b->in_flight(), 0u);
  EXPECT_EQ(a_end.lost_count + b_end.lost_count, 0);
}

TEST_F(link_interest, IsSaidWhenTheLinkComesUp) {
  for (const bool dialler : {true, false}) {
    fresh();
    a_options.me.protocol = b_options.me.protocol = interest_protocol;
    a = std::make_unique<channel>(a_options, *a_self, a_end,
                                  std::string(nonce_bytes, 'a'), now);
    b = std::make_unique<channel>(b_options, *b_self, b_end,
                                  std::string(nonce_bytes, 'b'), now);
    (dialler ? a : b)->want_events(false);
    a->start();
    exchange();
    ASSERT_TRUE(a->up() && b->up());
    EXPECT_THAT((dialler ? b_end : a_end).interests, ElementsAre(false));
    (dialler ? b : a)->send(range(1, 3));
    exchange();
    EXPECT_THAT((dialler ? a_end : b_end).taken, IsEmpty());
    EXPECT_EQ((dialler ? a_end : b_end).heads.back(), 3);
  }
}

TEST_F(link_interest, AnOlderPeerSendsAndGetsEventsAlways) {
  b_options.me.protocol = interest_protocol - 1;
  open();
  a->want_events(false);
  b->want_events(false);
  a->send(range(1, 2));
  b->send(range(3, 3));
  exchange();
  advance(1s, 3, 3);
  EXPECT_THAT(b_end.taken, ElementsAre(1, 2));
  EXPECT_THAT(a_end.taken, ElementsAre(3));
  EXPECT_THAT(a_end.interests, IsEmpty());
  EXPECT_THAT(b_end.interests, IsEmpty());
  EXPECT_EQ(a_end.lost_count + b_end.lost_count, 0);
}

TEST_F(link_interest, WaitsForCreditAndTheLatestCounts) {
  open();
  b_is_slow = true;
  for (seq_t n = 1; n <= 5'000; ++n)
    b->send(range(n, n, 1'000));
  while (b->waiting() == 0)
    b->send(control_event{control_kind::streams, ""});
  for (const bool wanted : {false, true, false})
    b->want_events(wanted);
  b_is_slow = false;
  advance(1s, 0, 5'000);
  EXPECT_THAT(a_end.interests, ElementsAre(false));
  EXPECT_EQ(a_end.heads.back(), 5'000);
}

TEST_F(link_interest, WhatIsLostIsSaidAgain) {
  open();
  for (const bool wanted : {false, true}) {
    cut = true;
    b->want_events(wanted);
    exchange();
    cut = false;
    advance(1s);
    ASSERT_FALSE(a_end.interests.empty());
    EXPECT_EQ(a_end.interests.back(), wanted);
  }
  EXPECT_THAT(a_end.interests, ElementsAre(false, true));
}

TEST_F(link_interest, HowFarTheLogIsWaitsForCreditAndNothingIsSkipped) {
  b_options.window = 64 << 10;
  open();
  b->want_events(false);
  exchange();
  b_is_slow = true;
  for (seq_t n = 1; n <= 10'000; ++n) {
    a->send(range(n, n));
    EXPECT_LE(a->in_flight(), 64u << 10);
  }
  EXPECT_LE(a_end.out.size(), 5'000u);
  b_is_slow = false;
  advance(1s, 10'000);
  EXPECT_EQ(b_end.heads.back(), 10'000);
  EXPECT_THAT(b_end.taken, IsEmpty());
  EXPECT_EQ(a_end.skipped_events, 0u);
  EXPECT_EQ(a->in_flight(), 0u);
}

// -- frames -------------------------------------------------------------------

hello some_hello() {
  hello h;
  h.protocol = newest_protocol;
  h.types = 1ull << 60;
  h.node = "node-a";
  h.incarnation = uuid{{1, 2, 3}};
  h.store = uuid{{4, 5}};
  h.nonce = std::string(nonce_bytes, '\0');
  h.certificate = "PEM";
  return h;
}

/// One of each: a kind that is added has to be added here.
std::vector<frame> one_of_each() {
  std::vector<frame> out{
      some_hello(),
      answer{some_hello(), "signature"},
      proof{std::string("\0\xff", 2)},
      welcome{1ull << 40},
      refused{"why"},
      data{7, events_item{3, 9, {"{}", ""}}},
      data{8, head_item{12}},
      data{9, control_event{control_kind::log_level, "debug"}},
      data{10,
           reply_item{uuid{{7}}, processing::reply{202, "text/plain", "x"}}},
      data{11, reply_item{uuid{{8}}, std::nullopt}},
      data{12, news_item{{{{uuid{{1}}, uuid{{2}}}, {uuid{{3}}, {}, uuid{{4}}}},
                          {{uuid{{5}}, uuid{{6}}}}}}},
      data{13, interest_item{false}},
      data{14, interest_item{true}},
      data{15, append_item{7, std::string("\0\xff", 2)}},
      data{16, appended_item{7,
                             {{uuid{{1}}, appended::kind::stored, 5, ""},
                              {uuid{{2}}, appended::kind::refused, 0, "why"},
                              {uuid{{3}}, appended::kind::not_taken, 0, ""}}}},
      data{17, newer_item{200, "what it means is not known"}},
      ack{5, 6},
      ping{1, 2, 3},
      pong{4, 5},
      bye{"stops"},
  };
  std::set<size_t> kinds, items;
  for (const auto& f : out) {
    kinds.insert(f.index());
    if (const auto* d = std::get_if<data>(&f))
      items.insert(d->item.index());
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<frame>);
  EXPECT_EQ(items.size(), std::variant_size_v<data_item>);
  return out;
}

TEST(link_frame, EachKindComesBackAsItWas) {
  for (const auto& f : one_of_each()) {
    SCOPED_TRACE(f.index());
    const auto copy = decode(encode(f));
    ASSERT_TRUE(copy);
    EXPECT_EQ(*copy, f);
  }
}

TEST(link_frame, WhatIsCutOffOrHasMoreIsRefused) {
  for (const auto& f : one_of_each()) {
    // Where a newer program's words end is not known here.
    if (const auto* d = std::get_if<data>(&f);
        d && std::holds_alternative<newer_item>(d->item))
      continue;
    const auto bytes = encode(f);
    for (size_t n = 0; n < bytes.size(); ++n)
      EXPECT_FALSE(decode(std::string_view{bytes}.substr(0, n))) << f.index();
    EXPECT_FALSE(decode(bytes + "x"));
  }
  EXPECT_EQ(decode(std::string(max_frame_bytes + 1, 'x')).error().code,
            ec::too_large);
}

// The bytes travel: a node of an older version must read them.
TEST(link_frame, BytesStayAsTheyAre) {
  using namespace std::string_literals;
  EXPECT_EQ(encode(ack{258, 1}), "\x07\x02\x01\0\0\0\0\0\0\x01\0\0\0\0\0\0\0"s);
  EXPECT_EQ(encode(data{1, control_event{control_kind::keys, "k"}}),
            "\x06\x01\0\0\0\0\0\0\0\x03\x02\x01\0\0\0k"s);
  EXPECT_EQ(encode(data{1, interest_item{true}}),
            "\x06\x01\0\0\0\0\0\0\0\x06\x01"s);
  EXPECT_FALSE(decode("\x06\x01\0\0\0\0\0\0\0\x06\x02"s));
  EXPECT_EQ(encode(data{1, append_item{2, "x"}}),
            "\x06\x01\0\0\0\0\0\0\0\x07\x02\0\0\0\0\0\0\0\x01\0\0\0x"s);
  EXPECT_EQ(encode(data{
                1, appended_item{2, {{{}, appended::kind::duplicate, 3, ""}}}}),
            "\x06\x01\0\0\0\0\0\0\0\x08\x02\0\0\0\0\0\0\0\x01\0\0\0"s +
                std::string(16, '\0') + "\x01\x03\0\0\0\0\0\0\0\0\0\0\0"s);
  EXPECT_EQ(encode(bye{"x"}), "\x0a\x01\0\0\0x"s);
}

TEST(link_frame, EventsComeBackAsTheStoreWouldGiveThem) {
  auto e = testing::make_event(1);
  e.seq = 5;
  e.payload = shared_text{std::string{"{ \"a\" : \"\\u0000\" }"}};
  e.correlation_id = uuid{{9}};
  log_range r{4, 6, {event_ptr{e}}};
  const auto pieces = pieces_of(r);
  ASSERT_EQ(pieces.size(), 1u);
  const auto back = range_of(std::get<events_item>(pieces[0]));
  ASSERT_TRUE(back);
  EXPECT_EQ((*back)->first, 4);
  EXPECT_EQ((*back)->last, 6);
  ASSERT_EQ((*back)->events.size(), 1u);
  EXPECT_EQ(codec::wire_text((*back)->events[0], wire_format::native),
            codec::wire_text(event_ptr{e}, wire_format::native));
}

TEST(link_frame, EventsThatAreNotWhatTheySayAreRefused) {
  auto e = testing::make_event(1);
  e.seq = 5;
  const std::string text{codec::wire_text(event_ptr{e}, wire_format::native)};
  EXPECT_TRUE(range_of({5, 5, {text}}));
  EXPECT_FALSE(range_of({6, 7, {text}}));
  EXPECT_FALSE(range_of({4, 4, {text}}));
  EXPECT_FALSE(range_of({5, 6, {text, text}}));
  EXPECT_FALSE(range_of({5, 5, {"{"}}));
  EXPECT_FALSE(range_of({5, 4, {}}));
  EXPECT_FALSE(range_of({0, 4, {}}));
}

} // namespace
} // namespace eventweft::link

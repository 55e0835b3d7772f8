// SPDX-License-Identifier: Apache-2.0
#include "codec/json_text.hpp"
#include "tests/integration/persistence/store_fixture.hpp"

#include <limits>

namespace eventweft::testing {
namespace {

using std::chrono::seconds;

class query_contract : public store_contract {
 protected:
  query_contract() {
    std::vector<event> events;
    auto add = [&](auto change) {
      auto e = numbered_event(static_cast<int>(events.size()) + 1);
      change(e);
      events.push_back(e);
    };
    add([](event& e) { e.event_type = "pull_request:opened"; });
    add([](event& e) { e.event_type = "push"; });
    add([](event& e) {
      e.platform = "linear";
      e.event_type = "Issue:create";
      e.source_name = "ENG";
      e.actor_id = "u1";
      e.actor_name = "ann";
    });
    add([](event& e) {
      e.platform = "linear";
      e.event_type = "IssueLabel:create";
      e.source_name = "eng_ops";
      e.actor_id = "ann";
      e.actor_name = "bob";
    });
    add([](event& e) {
      e.platform = "linear";
      e.event_type = "Issue";
      e.source_name = "";
      e.actor_id = e.actor_name = "";
    });
    add([this](event& e) {
      e.platform = "slack";
      e.event_type = "app_mention";
      e.source_name = "C1";
      e.correlation_id = thread_;
    });
    append(events);
  }

  std::vector<seq_t> seqs(const event_query& q) {
    std::vector<seq_t> all;
    for (auto& e : must(session_->query(q)).events)
      all.push_back(e->seq);
    return all;
  }

  uuid thread_ = *uuid::parse("0190b5a2-7c00-7000-8000-000000000001");
};

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_P(query_contract, NewestFirst) {
  EXPECT_THAT(seqs({}), ElementsAre(6, 5, 4, 3, 2, 1));
  event_query q;
  q.ascending = true;
  EXPECT_THAT(seqs(q), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_P(query_contract, ByPlatform) {
  event_query q;
  q.platforms = {"linear"};
  EXPECT_THAT(seqs(q), ElementsAre(5, 4, 3));
  q.platforms = {"linear", "slack"};
  EXPECT_THAT(seqs(q), ElementsAre(6, 5, 4, 3));
  q.platforms = {"Linear"};
  EXPECT_THAT(seqs(q), IsEmpty());
}

TEST_P(query_contract, ByEventTypeWithItsActions) {
  event_query q;
  q.event_types = {"Issue"};
  EXPECT_THAT(seqs(q), ElementsAre(5, 3));
  q.event_types = {"pull_request"};
  EXPECT_THAT(seqs(q), ElementsAre(1));
  q.event_types = {"Issue:create"};
  EXPECT_THAT(seqs(q), ElementsAre(3));
  q.event_types = {"push", "app_mention"};
  EXPECT_THAT(seqs(q), ElementsAre(6, 2));
}

TEST_P(query_contract, ByWildcards) {
  event_query q;
  q.event_types = {"Issue*"};
  EXPECT_THAT(seqs(q), ElementsAre(5, 4, 3));
  q.event_types = {"*:create"};
  EXPECT_THAT(seqs(q), ElementsAre(4, 3));
  q.event_types = {"p*u*"};
  EXPECT_THAT(seqs(q), ElementsAre(2, 1));
  q.event_types = {};
  q.source_names = {"octo/*"};
  EXPECT_THAT(seqs(q), ElementsAre(2, 1));
}

TEST_P(query_contract, NothingButTheStarIsSpecial) {
  event_query q;
  q.source_names = {"eng_*"};
  EXPECT_THAT(seqs(q), ElementsAre(4));
  q.source_names = {"EN_*"};
  EXPECT_THAT(seqs(q), IsEmpty());
  q.source_names = {"EN?*"};
  EXPECT_THAT(seqs(q), IsEmpty());
  q.source_names = {"[E]N*"};
  EXPECT_THAT(seqs(q), IsEmpty());
  q.source_names = {"%*"};
  EXPECT_THAT(seqs(q), IsEmpty());
  q.source_names = {"x' OR ''='"};
  EXPECT_THAT(seqs(q), IsEmpty());
}

TEST_P(query_contract, BySourceName) {
  event_query q;
  q.source_names = {"ENG", "C1"};
  EXPECT_THAT(seqs(q), ElementsAre(6, 3));
}

TEST_P(query_contract, ByActorIdOrName) {
  event_query q;
  q.actors = {"ann"};
  EXPECT_THAT(seqs(q), ElementsAre(4, 3));
  q.actors = {"u1", "bob"};
  EXPECT_THAT(seqs(q), ElementsAre(4, 3));
}

TEST_P(query_contract, ByThread) {
  event_query q;
  q.correlation_id = thread_;
  EXPECT_THAT(seqs(q), ElementsAre(6));
}

TEST_P(query_contract, ByEveryOtherFieldOfTheEnvelope) {
  auto child = numbered_event(20);
  child.source_id = "99";
  child.priority = priority::critical;
  child.parent_event_id = numbered_event(1).id;
  append({child});
  auto only = [&](auto change) {
    event_query q;
    change(q);
    return seqs(q);
  };
  EXPECT_THAT(only([&](auto& q) { q.id = child.id; }), ElementsAre(7));
  EXPECT_THAT(only([&](auto& q) { q.event_ids = {child.event_id}; }),
              ElementsAre(7));
  EXPECT_THAT(only([&](auto& q) {
                q.event_ids = {child.event_id, "delivery-1", "none"};
                q.platforms = {"github", "slack"};
              }),
              ElementsAre(7, 1));
  EXPECT_THAT(only([&](auto& q) {
                q.event_ids = {child.event_id};
                q.platforms = {"slack"};
              }),
              IsEmpty());
  EXPECT_THAT(only([](auto& q) { q.source_ids = {"99"}; }), ElementsAre(7));
  EXPECT_THAT(only([](auto& q) { q.actor_ids = {"ann"}; }), ElementsAre(4));
  EXPECT_THAT(only([](auto& q) { q.actor_names = {"ann"}; }), ElementsAre(3));
  EXPECT_THAT(only([](auto& q) { q.priorities = {priority::critical}; }),
              ElementsAre(7));
  EXPECT_THAT(only([&](auto& q) { q.parent_event_id = child.parent_event_id; }),
              ElementsAre(7));
  EXPECT_THAT(only([](auto& q) { q.processed = true; }), IsEmpty());
  EXPECT_EQ(only([](auto& q) { q.processed = false; }).size(), 7u);
}

TEST_P(query_contract, ByWhenProcessingWasOverAndHowLongItTook) {
  // 7 to 10, of which the last was not timed; 1 to 6 are not processed.
  std::vector<event> processed;
  for (const double took : {0.0, 0.1, 2.5, -1.0}) {
    auto e = numbered_event(20 + static_cast<int>(processed.size()));
    e.processed_at = e.created_at + seconds{100};
    if (took >= 0)
      e.processing_duration = took;
    processed.push_back(e);
  }
  append(processed);
  auto only = [&](auto change) {
    event_query q;
    change(q);
    return seqs(q);
  };
  const auto second = *processed[1].processed_at;
  EXPECT_THAT(only([&](auto& q) { q.processed_since = second; }),
              ElementsAre(10, 9, 8));
  EXPECT_THAT(only([&](auto& q) { q.processed_until = second; }),
              ElementsAre(7));
  EXPECT_THAT(only([&](auto& q) {
                q.processed_since = second;
                q.processed_until = second + std::chrono::microseconds{1};
              }),
              ElementsAre(8));
  EXPECT_THAT(
      only([&](auto& q) { q.processed_since = q.processed_until = second; }),
      IsEmpty());
  EXPECT_THAT(only([](auto& q) { q.min_duration = 0; }), ElementsAre(9, 8, 7));
  EXPECT_THAT(only([](auto& q) { q.min_duration = 0.1; }), ElementsAre(9, 8));
  EXPECT_THAT(only([](auto& q) { q.max_duration = 0.1; }), ElementsAre(8, 7));
  EXPECT_THAT(only([](auto& q) { q.max_duration = 0; }), ElementsAre(7));
  EXPECT_THAT(only([](auto& q) {
                q.min_duration = 1e-6;
                q.max_duration = 1e300;
              }),
              ElementsAre(9, 8));
  EXPECT_THAT(only([](auto& q) {
                q.min_duration = 1;
                q.max_duration = 0.1;
              }),
              IsEmpty());
  EXPECT_THAT(only([&](auto& q) {
                q.processed_since = second;
                q.max_duration = 1;
                q.platforms = {"github"};
              }),
              ElementsAre(8));
}

TEST_P(query_contract, ByWhatStandsAtAPathOfThePayload) {
  auto with = [](int n, std::string payload) {
    auto e = numbered_event(n);
    e.payload = shared_text{std::move(payload)};
    return e;
  };
  append({with(20, R"({"a":{"b":"main"},"n":12,"t":true,"z":null})"),
          with(21, R"({"a":{"b":"m\u0061in"},"l":[{"x":"y"}],"n":"12"})"),
          with(22, R"({"a":"main","l":{"0":{"x":"y"}},"it's":"q"})"),
          with(23, R"([1])")});
  auto at = [&](std::string path, std::string text) {
    event_query q;
    q.conditions.emplace(std::move(path), std::move(text));
    return seqs(q);
  };
  EXPECT_THAT(at("payload.a.b", "main"), ElementsAre(8, 7));
  EXPECT_THAT(at("payload.a", "main"), ElementsAre(9));
  EXPECT_THAT(at("payload.n", "12"), ElementsAre(8, 7));
  EXPECT_THAT(at("payload.t", "true"), ElementsAre(7));
  EXPECT_THAT(at("payload.z", "null"), IsEmpty());
  EXPECT_THAT(at("payload.l.0.x", "y"), ElementsAre(9, 8));
  EXPECT_THAT(at("payload.0", "1"), ElementsAre(10));
  EXPECT_THAT(at("payload.it's", "q"), ElementsAre(9));
  EXPECT_THAT(at("payload.a.b", "x' OR ''='"), IsEmpty());
  event_query both;
  both.conditions = {{"payload.a.b", "main"}, {"payload.t", "true"}};
  EXPECT_THAT(seqs(both), ElementsAre(7));
}

TEST_P(query_contract, WhatStandsAtAPathIsReadTheSameInAllStores) {
  auto e = numbered_event(20);
  e.payload = shared_text{std::string{
      R"({"o":{"x": 1, "y":[1,  2] } ,"f":1.50,"e":1e2,"s":"","u":"\u00e9\/",)"
      R"("big":12345678901234567890123,"other":[1,2,3],"nil":"a\u0000b",)"
      R"("arr":[[1,2],{"k":"v"}],"-1":"neg","x":{"0":"name","01":"lead"},)"
      R"("sp ace":"z","dup":1,"dup":2,"gone":1,"gone":null,)"
      R"("deep":{"dup":"a","x":{"y":1}},"deep":{"dup":"b","dup":"c"}})"}};
  if (auto readable = codec::readable_json(e.payload.view()))
    e.payload_readable = shared_text{std::move(*readable)};
  e.metadata = R"({"k": {"l": "m"}})";
  append({e});
  const auto is = [&](const char* path, const char* text) {
    event_query q;
    q.conditions.emplace(path, text);
    return !seqs(q).empty();
  };
  for (const auto& [path, text] :
       std::initializer_list<std::pair<const char*, const char*>>{
           {"payload.o", R"({"x": 1, "y":[1,  2] })"},
           {"payload.o.y", "[1,  2]"},
           {"payload.f", "1.50"},
           {"payload.e", "1e2"},
           {"payload.s", ""},
           {"payload.u", "\u00e9/"},
           {"payload.big", "12345678901234567890123"},
           {"payload.nil", "a\ufffdb"},
           {"payload.arr.0", "[1,2]"},
           {"payload.arr.1.k", "v"},
           {"payload.arr.01.k", "v"},
           {"payload.-1", "neg"},
           {"payload.x.0", "name"},
           {"payload.x.01", "lead"},
           {"payload.sp ace", "z"},
           {"payload.dup", "2"},
           {"payload.deep.dup", "c"},
           {"payload.deep.x.y", "1"},
           {"metadata.k.l", "m"},
           {"metadata.k", R"({"l": "m"})"}})
    EXPECT_TRUE(is(path, text)) << path << ' ' << text;
  for (const auto& [path, text] :
       std::initializer_list<std::pair<const char*, const char*>>{
           {"payload.o", R"({"x":1,"y":[1,2]})"},
           {"payload.f", "1.5"},
           {"payload.e", "100"},
           {"payload.u", "\\u00e9/"},
           {"payload.arr.-1.k", "v"},
           {"payload.arr.-2", "[1,2]"},
           {"payload.arr.+1.k", "v"},
           {"payload.arr.2", ""},
           {"payload.arr.-1", R"({"k":"v"})"},
           {"payload.dup", "1"},
           {"payload.gone", "1"},
           {"payload.gone", "null"},
           {"payload.deep.dup", "a"},
           {"payload.s.x", ""},
           {"payload.none", ""}})
    EXPECT_FALSE(is(path, text)) << path << ' ' << text;
}

TEST_P(query_contract, ByTime) {
  event_query q;
  q.since = noon + seconds{3};
  q.until = noon + seconds{5};
  EXPECT_THAT(seqs(q), ElementsAre(4, 3));
}

TEST_P(query_contract, AfterANumber) {
  event_query q;
  q.after = 0;
  const auto all = seqs(event_query{});
  EXPECT_EQ(seqs(q), all);
  q.after = 2;
  q.limit = 2;
  EXPECT_THAT(seqs(q), ElementsAre(all[0], all[1]));
  q.ascending = true;
  EXPECT_THAT(seqs(q), ElementsAre(3, 4));
  q.cursor = 4;
  EXPECT_THAT(seqs(q), ElementsAre(5, 6));
  q.cursor = 0;
  q.after = std::numeric_limits<seq_t>::max();
  EXPECT_THAT(seqs(q), IsEmpty());
}

TEST_P(query_contract, AllThatIsGivenMustHold) {
  event_query q;
  q.platforms = {"linear"};
  q.event_types = {"Issue", "push"};
  q.since = noon + seconds{4};
  EXPECT_THAT(seqs(q), ElementsAre(5));
}

TEST_P(query_contract, PagesCoverAllOnce) {
  for (bool ascending : {false, true}) {
    event_query q;
    q.limit = 2;
    q.ascending = ascending;
    std::vector<seq_t> all;
    for (int pages = 1;; ++pages) {
      auto page = must(session_->query(q));
      for (auto& e : page.events)
        all.push_back(e->seq);
      if (!page.next_cursor) {
        EXPECT_EQ(pages, 3);
        break;
      }
      EXPECT_EQ(page.events.size(), 2u);
      q.cursor = *page.next_cursor;
    }
    if (!ascending)
      std::reverse(all.begin(), all.end());
    EXPECT_THAT(all, ElementsAre(1, 2, 3, 4, 5, 6));
  }
}

TEST_P(query_contract, APageEndsWhereItsPayloadsAreManyBytes) {
  event_query q;
  // The second event of a page brings it over this.
  q.max_bytes = must(session_->query(q)).events.front()->payload.size() + 1;
  std::vector<std::vector<seq_t>> pages;
  for (int i = 0; i < 6; ++i) {
    const auto page = must(session_->query(q));
    if (!page.events.empty()) {
      pages.emplace_back();
      for (const auto& e : page.events)
        pages.back().push_back(e->seq);
    }
    if (!page.next_cursor)
      break;
    q.cursor = *page.next_cursor;
  }
  EXPECT_THAT(pages, ElementsAre(ElementsAre(6, 5), ElementsAre(4, 3),
                                 ElementsAre(2, 1)));
  // One that is larger by itself comes alone.
  q = {};
  q.max_bytes = 1;
  q.ascending = true;
  EXPECT_THAT(seqs(q), ElementsAre(1));
}

TEST_P(query_contract, PagesAreStableWhileEventsCome) {
  event_query q;
  q.limit = 3;
  auto first = must(session_->query(q));
  append({numbered_event(50)});
  q.cursor = first.next_cursor.value();
  EXPECT_THAT(seqs(q), ElementsAre(3, 2, 1));
}

INSTANTIATE_TEST_SUITE_P(Engines, query_contract, all_engines, engine_name);

} // namespace
} // namespace eventweft::testing

// SPDX-License-Identifier: Apache-2.0
// Threads from the webhook to the terminal, through the whole hub.
#include "app/backfill.hpp"
#include "app/cli/http_client.hpp"
#include "app/cli/threads.hpp"
#include "app/correlation.hpp"
#include "app/service.hpp"
#include "app/threads_bridge.hpp"
#include "codec/payload.hpp"
#include "persistence/store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace eventweft {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string pull_request =
    R"({"action":"opened","repository":{"full_name":"octo/repo","id":1,)"
    R"("default_branch":"main","html_url":"https://github.com/octo/repo"},)"
    R"("sender":{"login":"ann","id":7},"pull_request":{"number":12,"id":5,)"
    R"("title":"Make it quick, fixes ENG-42","state":"open",)"
    R"("html_url":"https://github.com/octo/repo/pull/12",)"
    R"("head":{"ref":"quick","sha":"1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d"},)"
    R"("base":{"ref":"main"}}})";

const std::string comment =
    R"({"action":"created","repository":{"full_name":"octo/repo","id":1,)"
    R"("default_branch":"main","html_url":"https://github.com/octo/repo"},)"
    R"("sender":{"login":"bob","id":8},"issue":{"number":12,)"
    R"("pull_request":{"url":"https://api.github.com/x"}},)"
    R"("comment":{"id":1,"body":"looks good"}})";

const std::string issue =
    R"({"action":"create","type":"Issue","organizationId":"o",)"
    R"("data":{"id":"0b8f4bd0-6f4e-4c1b-8a57-0f9b8a5f8c11",)"
    R"("identifier":"ENG-42","number":42,"title":"It is slow",)"
    R"("state":{"name":"In Progress"},"team":{"id":"t","key":"ENG"}},)"
    R"("url":"https://linear.app/acme/issue/ENG-42/it-is-slow"})";

class whole_threads : public ::testing::Test {
 protected:
  whole_threads() {
    auto pattern =
        (std::filesystem::temp_directory_path() / "threads-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    settings_.server.listen = "127.0.0.1:0";
    settings_.store.url = "sqlite:" + (directory_ / "log.db").string();
    settings_.store.spool_directory.clear();
    for (const auto* name : {"github", "linear", "events"})
      settings_.platforms[name].allow_unsigned = true;
  }

  ~whole_threads() override {
    hub_.reset();
    std::filesystem::remove_all(directory_);
  }

  void start() {
    auto log = std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::null_sink_mt>());
    hub_ = std::make_unique<service>(settings_, log, [](const std::string&) {});
    if (own_rule_)
      hub_->add_correlation_rule("build", own_rule_);
    const auto address = hub_->start();
    ASSERT_TRUE(address) << to_string(address.error());
    url_ = "http://" + net::to_string(*address);
    const auto server = cli::parse_server_url(url_);
    client_ = std::make_unique<cli::http_client>(
        *server, cli::client_options{.url = url_, .timeout = 10s});
  }

  std::string post(const std::string& path, const std::string& body,
                   cli::header_fields headers) {
    headers.emplace_back("Content-Type", "application/json");
    const auto a = client_->send({"POST", path, std::move(headers), body});
    EXPECT_TRUE(a);
    EXPECT_EQ(a->status, 200) << a->body;
    return a->body;
  }

  std::string github(const std::string& type, const std::string& body,
                     const std::string& delivery) {
    return post("/github/events", body,
                {{"X-GitHub-Event", type}, {"X-GitHub-Delivery", delivery}});
  }

  std::string get(const std::string& path, int status = 200) {
    const auto a = client_->send({"GET", path, {}, {}});
    EXPECT_TRUE(a);
    EXPECT_EQ(a->status, status) << a->body;
    return a->body;
  }

  static timestamp on_day(int n) { return timestamp{std::chrono::days{n}}; }

  /// The store with five events without threads, a hundred days apart.
  store_ptr store_of_five() const {
    store_options where;
    where.url = settings_.store.url;
    auto store = *open_store(where);
    EXPECT_TRUE(store->migrate());
    std::vector<event_ptr> events;
    for (int n = 1; n <= 5; ++n) {
      event ev;
      ev.id = *uuid::parse("0190c8a5-0000-7000-8000-00000000000" +
                           std::to_string(n));
      ev.platform = "custom";
      ev.event_id = "d-" + std::to_string(n);
      ev.event_type = "x";
      ev.created_at = on_day(n * 100);
      ev.payload = shared_text{std::string{R"({"k":"1"})"}};
      events.emplace_back(std::move(ev));
    }
    EXPECT_TRUE(store->open_session()->append(events));
    return store;
  }

  std::filesystem::path directory_;
  config::settings settings_;
  std::function<std::string(const event&)> own_rule_;
  std::unique_ptr<service> hub_;
  std::string url_;
  std::unique_ptr<cli::http_client> client_;
};

TEST_F(whole_threads, AStoryIsFoundStreamedAndTold) {
  start();
  github("pull_request", pull_request, "d-1");
  github("issue_comment", comment, "d-2");
  post("/linear/events", issue,
       {{"Linear-Delivery", "d-3"}, {"Linear-Event", "Issue"}});
  github("ping", R"({"zen":"x","hook_id":1})", "d-4");

  // By a key in any of its spellings, by an event's id.
  const auto story = get("/api/v1/correlations/octo%2Frepo%2312");
  EXPECT_THAT(story, HasSubstr(R"("event_count":3)"));
  EXPECT_THAT(story, HasSubstr(R"("platforms":["github","linear"])"));
  EXPECT_THAT(story, HasSubstr(R"("correlation_type":"pr_to_issue")"));
  EXPECT_THAT(story, HasSubstr(R"("name":"ENG-42","repository":null,)"
                               R"("title":"It is slow",)"
                               R"("state":"In Progress")"));
  EXPECT_THAT(story, HasSubstr(R"("name":"octo/repo#12")"));
  EXPECT_THAT(story, HasSubstr(R"("name":"ann")"));
  codec::payload_reader reader;
  const auto root = reader.parse(story);
  ASSERT_TRUE(root);
  const auto id = codec::string_at(*root, "/id");
  const auto first = codec::string_at(*root, "/events/0/id");
  EXPECT_EQ(codec::string_at(*root, "/events/0/correlation_id"), id);
  EXPECT_EQ(get("/api/v1/correlations/ENG-42"), story);
  EXPECT_EQ(get("/api/v1/correlations/" + first), story);
  EXPECT_THAT(get("/api/v1/correlations?platform=linear"), HasSubstr(id));
  EXPECT_THAT(get("/api/v1/correlations?platform=slack"), Not(HasSubstr(id)));
  EXPECT_THAT(get("/api/v1/correlations?platform=slack&platform=linear"),
              HasSubstr(id));
  EXPECT_THAT(get("/api/v1/correlations?key=ENG-42"), HasSubstr(id));
  EXPECT_THAT(get("/api/v1/correlations?key=ENG-42&platform=jira,linear"),
              HasSubstr(id));
  EXPECT_THAT(get("/api/v1/correlations?key=ENG-42&platform=slack"),
              Not(HasSubstr(id)));
  EXPECT_THAT(get("/api/v1/correlations?key=ENG-42&cursor=1"),
              Not(HasSubstr(id)));
  EXPECT_THAT(get("/api/v1/correlations/github:pr:octo/repo%2312"),
              HasSubstr(id));
  get("/api/v1/correlations/ENG-43", 404);
  get("/api/v1/correlations?limit=0", 400);
  get("/api/v1/correlations?limit=1&limit=2", 400);
  get("/api/v1/correlations/ENG-42?platform=linear", 400);
  get("/api/v1/correlations?platform=", 400);
  get("/api/v1/correlations?key=", 400);
  EXPECT_THAT(get("/metrics"),
              HasSubstr("eventweft_correlation_events_linked_total 3"));

  // A stream of the thread, by a key: the first time an event is streamed, it
  // has its thread.
  std::string seen;
  const auto followed = client_->follow(
      {"GET",
       "/events/stream/all_events?since=earliest&correlation_ids=ENG-42",
       {{"Accept", "text/event-stream"}},
       {}},
      10s, [&](std::string_view piece) {
        seen += piece;
        return seen.find("Issue:create") == std::string::npos;
      });
  ASSERT_TRUE(followed);
  EXPECT_THAT(seen, HasSubstr("pull_request:opened"));
  EXPECT_THAT(seen, HasSubstr(id));
  EXPECT_THAT(seen, Not(HasSubstr("ping")));

  std::ostringstream out;
  std::ostringstream err;
  cli::console io{out, err, false};
  cli::thread_options options;
  options.server = {url_, {}};
  options.which = "octo/repo#12";
  EXPECT_EQ(cli::thread(options, io), cli::exit_ok) << err.str();
  EXPECT_THAT(out.str(), HasSubstr("3 events from"));
  EXPECT_THAT(out.str(), HasSubstr("issue ENG-42: In Progress"));
  EXPECT_THAT(out.str(), HasSubstr("pr_to_issue linear:issue:ENG-42"));
  out.str({});
  options.which.clear();
  EXPECT_EQ(cli::thread(options, io), cli::exit_ok) << err.str();
  EXPECT_THAT(out.str(), HasSubstr(id));
}

TEST_F(whole_threads, TheIdOfAMergedThreadLeadsToItsEvents) {
  start();
  const auto thread_of = [&](const std::string& key) {
    codec::payload_reader reader;
    const auto story = get("/api/v1/correlations/" + key);
    const auto root = reader.parse(story);
    return root ? std::string{codec::string_at(*root, "/id")} : std::string{};
  };
  auto unrelated = pull_request;
  const std::string link = ", fixes ENG-42";
  unrelated.erase(unrelated.find(link), link.size());
  github("pull_request", unrelated, "d-1");
  post("/linear/events", issue,
       {{"Linear-Delivery", "d-2"}, {"Linear-Event", "Issue"}});
  const auto pr = thread_of("octo%2Frepo%2312");
  // GitHub leads from here to the pull request.
  EXPECT_EQ(thread_of("https%3A%2F%2Fgithub.com%2Focto%2Frepo%2Fissues%2F12"),
            pr);
  const auto linear = thread_of("ENG-42");
  ASSERT_NE(pr, linear);
  github("pull_request", pull_request, "d-3");
  for (const auto& id : {pr, linear}) {
    const auto found = get("/api/v1/events?correlation_id=" + id);
    for (const auto* delivery : {"d-1", "d-2", "d-3"})
      EXPECT_THAT(found, HasSubstr('"' + std::string{delivery} + '"')) << id;
  }
}

// What a key leads to may change, so a filter that is kept has none.
TEST_F(whole_threads, AKeyInAFilterThatIsKeptIsRefused) {
  start();
  const auto made = client_->send(
      {"POST",
       "/api/v1/streams",
       {{"Content-Type", "application/json"}},
       R"({"name":"one","filter":{"correlation_ids":["ENG-42"]}})"});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->status, 422);
  EXPECT_THAT(made->body, HasSubstr("/api/v1/correlations/KEY"));
}

TEST_F(whole_threads, OfWhatIsSwitchedOffNothingIsFound) {
  settings_.event.enable_correlation = false;
  start();
  github("pull_request", pull_request, "d-1");
  get("/api/v1/correlations/octo%2Frepo%2312", 404);
}

TEST_F(whole_threads, ARuleOfOnesOwnIsAppliedAlsoAfterwards) {
  settings_.event.enable_correlation = false;
  start();
  const std::string one =
      R"({"event_type":"build:done","payload":{"build":"b-77"}})";
  const std::string two =
      R"({"event_type":"build:shipped","payload":{"text":"shipped b-77"}})";
  post("/events", one, {});
  post("/events", two, {});
  hub_.reset();

  std::ofstream{directory_ / "hub.toml"}
      << "[store]\nurl = \"" << settings_.store.url << "\"\n"
      << "[[correlation.rules]]\nname = \"build\"\n"
         "key = \"build:{payload.build}\"\n"
         "match = { event_types = [\"build:done\"] }\n"
         "[[correlation.rules]]\nname = \"shipped\"\n"
         "field = \"payload.text\"\npattern = 'shipped (b-[0-9]+)'\n"
         "key = \"build:{1}\"\n";
  config::load_options load;
  load.file = directory_ / "hub.toml";
  std::ostringstream out;
  std::ostringstream err;
  cli::console io{out, err, false};
  cli::correlate_options options;
  options.backfill = true;
  options.share = 1;
  EXPECT_EQ(cli::correlate(options, load, io), cli::exit_ok) << err.str();
  EXPECT_THAT(out.str(), HasSubstr("2 events gone over, 2 linked"));
  // Nothing more the second time.
  out.str({});
  EXPECT_EQ(cli::correlate(options, load, io), cli::exit_ok) << err.str();
  EXPECT_THAT(out.str(), HasSubstr("2 events gone over, 0 linked"));

  store_options where;
  where.url = settings_.store.url;
  const auto store = *open_store(where);
  const auto thread =
      store->open_threads()->thread_of(std::string{"build:b-77"});
  ASSERT_TRUE(thread && *thread);
  const auto story = store->open_threads()->read(**thread, {0, 10});
  ASSERT_TRUE(story && *story);
  EXPECT_EQ((*story)->events.size(), 2u);

  out.str({});
  options = {};
  options.explain = to_string((*story)->events[1]->id);
  EXPECT_EQ(cli::correlate(options, load, io), cli::exit_ok) << err.str();
  EXPECT_THAT(out.str(), HasSubstr("shipped\n"));
  EXPECT_THAT(out.str(), HasSubstr("build:b-77"));
  EXPECT_THAT(out.str(), HasSubstr("payload.text: \"shipped b-77\""));
}

TEST_F(whole_threads, ABackfillThatWasStoppedGoesOn) {
  settings_.event.enable_correlation = false;
  start();
  for (int i = 0; i < 30; ++i)
    post("/events",
         R"({"event_type":"x","payload":{"k":")" + std::to_string(i % 3) +
             "\"}}",
         {});
  hub_.reset();
  settings_.event.enable_correlation = true;
  settings_.correlation.rules.push_back({.name = "k", .key = "k:{payload.k}"});
  store_options where;
  where.url = settings_.store.url;
  const auto store = *open_store(where);
  const auto rules = make_rules(settings_, {}, {});
  ASSERT_TRUE(rules);
  backfill_options options;
  options.batch_events = 7;
  options.share = 0.25;
  std::chrono::nanoseconds slept{0};
  options.sleep = [&](std::chrono::nanoseconds d) { slept += d; };
  int batches = 0;
  options.stop = [&] { return ++batches > 2; };
  auto done = run_backfill(*store, **rules, options);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->done, 14u);
  EXPECT_EQ(done->total, 30u);
  EXPECT_GT(slept, 0ns);
  options.stop = nullptr;
  backfill_start start;
  options.begun = [&](const backfill_start& s) { start = s; };
  done = run_backfill(*store, **rules, options);
  ASSERT_TRUE(done);
  EXPECT_TRUE(start.resumed);
  EXPECT_EQ(start.after, 14);
  EXPECT_EQ(done->total, 16u);
  EXPECT_EQ(done->done, 16u);
  EXPECT_EQ(done->events, 16u);
  EXPECT_EQ(start.left_out, 0);
  EXPECT_FALSE(*store->open_threads()->backfill());
  EXPECT_EQ(store->open_threads()->recent({})->size(), 3u);
}

// Of what retention removed only the numbers are left.
TEST_F(whole_threads, ABackfillCountsTheEventsThatAreThere) {
  const auto store = store_of_five();
  retention_policy policy;
  policy.keep = std::chrono::days{150};
  const auto upkeep = store->open_maintenance();
  ASSERT_TRUE(upkeep->roll_up_metrics());
  ASSERT_TRUE(upkeep->apply_retention(policy, on_day(500), false));
  const auto rules = make_rules(settings_, {}, {});
  ASSERT_TRUE(rules);
  backfill_options options;
  options.share = 1;
  const auto done = run_backfill(*store, **rules, options);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->events, 2u);
  EXPECT_EQ(done->done, 5u);
  EXPECT_EQ(done->total, 5u);
}

TEST_F(whole_threads, ABackfillSinceATimeSaysWhatItLeftOut) {
  const auto store = store_of_five();
  settings_.correlation.rules.push_back({.name = "k", .key = "k:{payload.k}"});
  const auto rules = make_rules(settings_, {}, {});
  ASSERT_TRUE(rules);
  backfill_options options;
  options.since = on_day(300);
  options.batch_events = 1;
  options.share = 1;
  int batches = 0;
  options.stop = [&] { return ++batches > 1; };
  ASSERT_TRUE(run_backfill(*store, **rules, options));

  std::ofstream{directory_ / "hub.toml"}
      << "[store]\nurl = \"" << settings_.store.url << "\"\n"
      << "[[correlation.rules]]\nname = \"k\"\nkey = \"k:{payload.k}\"\n";
  config::load_options load;
  load.file = directory_ / "hub.toml";
  std::ostringstream out;
  std::ostringstream err;
  cli::console io{out, err, false};
  cli::correlate_options again;
  again.backfill = true;
  again.share = 1;
  EXPECT_EQ(cli::correlate(again, load, io), cli::exit_ok) << err.str();
  EXPECT_THAT(err.str(), HasSubstr("going on after seq 3"));
  EXPECT_THAT(out.str(), HasSubstr("2 events gone over, 2 linked"));
  EXPECT_THAT(out.str(), HasSubstr("events up to seq 2 were left out"));
  // And all of it the next time.
  out.str({});
  EXPECT_EQ(cli::correlate(again, load, io), cli::exit_ok) << err.str();
  EXPECT_THAT(out.str(), HasSubstr("5 events gone over, 2 linked"));
  EXPECT_THAT(out.str(), Not(HasSubstr("left out")));
}

TEST_F(whole_threads, ARuleOfTheStoreIsInForceAtOnceAndAfterARestart) {
  start();
  const auto order = [this](int n) {
    post("/events",
         R"({"event_type":"x","payload":{"order":")" + std::to_string(n) +
             "\"}}",
         {});
  };
  order(7);
  const auto put = client_->send({"PUT",
                                  "/api/v1/correlation-rules/orders",
                                  {{"Content-Type", "application/json"}},
                                  R"({"key":"order:{payload.order}"})"});
  ASSERT_TRUE(put);
  EXPECT_EQ(put->status, 201) << put->body;
  order(7);
  EXPECT_THAT(get("/api/v1/correlations?key=order:7"),
              HasSubstr(R"("event_count":1)"));
  hub_.reset();
  start();
  order(7);
  EXPECT_THAT(get("/api/v1/correlations?key=order:7"),
              HasSubstr(R"("event_count":2)"));
  // What came before it is found by going over the log again.
  hub_.reset();
  cli::correlate_options options;
  options.backfill = true;
  options.share = 1;
  std::ofstream{directory_ / "hub.toml"} << "[store]\nurl = \""
                                         << settings_.store.url << "\"\n";
  config::load_options load;
  load.file = directory_ / "hub.toml";
  std::ostringstream out;
  std::ostringstream err;
  cli::console io{out, err, false};
  EXPECT_EQ(cli::correlate(options, load, io), cli::exit_ok) << err.str();
  start();
  EXPECT_THAT(get("/api/v1/correlations?key=order:7"),
              HasSubstr(R"("event_count":3)"));
  const auto gone =
      client_->send({"DELETE", "/api/v1/correlation-rules/orders", {}, {}});
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->status, 204);
  order(7);
  EXPECT_THAT(get("/api/v1/correlations?key=order:7"),
              HasSubstr(R"("event_count":3)"));
}

TEST_F(whole_threads, ABackfillWithOtherRulesStartsOver) {
  settings_.event.enable_correlation = false;
  start();
  for (int i = 0; i < 10; ++i)
    post("/events", R"({"event_type":"x","payload":{"k":"1","l":"2"}})", {});
  hub_.reset();
  settings_.event.enable_correlation = true;
  settings_.correlation.rules.push_back({.name = "k", .key = "k:{payload.k}"});
  const auto first = make_rules(settings_, {}, {});
  settings_.correlation.rules.push_back({.name = "l", .key = "l:{payload.l}"});
  const auto second = make_rules(settings_, {}, {});
  ASSERT_TRUE(first && second);
  store_options where;
  where.url = settings_.store.url;
  const auto store = *open_store(where);
  backfill_options options;
  options.batch_events = 4;
  options.share = 1;
  int batches = 0;
  options.stop = [&] { return ++batches > 1; };
  ASSERT_TRUE(run_backfill(*store, **first, options));
  options.stop = nullptr;
  backfill_start begun;
  options.begun = [&](const backfill_start& s) { begun = s; };
  const auto done = run_backfill(*store, **second, options);
  ASSERT_TRUE(done);
  EXPECT_TRUE(begun.other_rules);
  EXPECT_FALSE(begun.resumed);
  EXPECT_EQ(done->done, 10u);
  const auto threads = store->open_threads();
  const auto found = threads->thread_of(std::string{"l:2"});
  ASSERT_TRUE(found && *found);
  const auto story = threads->read(**found, {0, 100});
  ASSERT_TRUE(story && *story);
  const auto linked = std::ranges::count_if(
      (*story)->links, [](const auto& l) { return l.key == "l:2"; });
  EXPECT_EQ(linked, 10);
}

TEST_F(whole_threads, AThreadIsFoundByWhatPeopleWrite) {
  start();
  github("pull_request", pull_request, "d-1");
  post("/linear/events", issue,
       {{"Linear-Delivery", "d-3"}, {"Linear-Event", "Issue"}});
  const auto found = [&](const std::string& which) {
    EXPECT_THAT(get("/api/v1/correlations/" + which), HasSubstr("ENG-42"))
        << which;
  };
  for (const char* which :
       {"1a2b3c4d", "git%3Asha%3A1A2B3C4D", "eng-42", "octo%2Frepo%2312"})
    found(which);
  get("/api/v1/correlations/1a2b3c4e", 404);
  EXPECT_THAT(get("/api/v1/correlations?platform=slack,linear"),
              HasSubstr("ENG-42"));
  EXPECT_THAT(get("/api/v1/correlations?platform=slack,deployments"),
              Not(HasSubstr("ENG-42")));
}

TEST_F(whole_threads, ASendersNameOfAThreadLeadsToItWithoutItsFamily) {
  start();
  for (const std::string name : {"order-42", "ORDER-43"}) {
    post("/events",
         R"({"event_type":"placed","metadata":{"correlationid":")" + name +
             R"("}})",
         {});
    for (const auto& which : {name, "correlation%3A" + name})
      EXPECT_THAT(get("/api/v1/correlations/" + which),
                  HasSubstr("\"correlation:" + name + "\""));
  }
  get("/api/v1/correlations/order-44", 404);
}

TEST_F(whole_threads, TheFirstDigitsOfSeveralCommitsAreToldSo) {
  start();
  github("pull_request", pull_request, "d-1");
  EXPECT_THAT(get("/api/v1/correlations/1a2b3c4d"), HasSubstr("octo/repo"));
  auto other = pull_request;
  const std::string sha = "1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d";
  other.replace(other.find(sha) + 39, 1, "e");
  github("pull_request", other, "d-2");
  EXPECT_THAT(get("/api/v1/correlations/1a2b3c4d", 404),
              HasSubstr("several commits begin with 1a2b3c4d"));
  EXPECT_THAT(get("/api/v1/correlations/1a2b3c4e", 404),
              Not(HasSubstr("several")));
  EXPECT_THAT(get("/api/v1/correlations/" + sha), HasSubstr("octo/repo"));
  EXPECT_THAT(get("/events/stream/all_events?correlation_ids=1a2b3c4d", 422),
              HasSubstr("several commits"));
}

TEST_F(whole_threads, AParentWithoutAThreadComesIntoItsChilds) {
  start();
  post("/events", R"({"event_type":"parent"})", {});
  hub_.reset();
  store_options where;
  where.url = settings_.store.url;
  const auto parent =
      (*open_store(where))->open_session()->read_after(0, 1, 1 << 20);
  ASSERT_TRUE(parent && parent->events.size() == 1);
  EXPECT_FALSE(parent->events[0]->correlation_id);
  const auto id = to_string(parent->events[0]->id);
  start();
  post("/events", R"({"event_type":"child","parent_event_id":")" + id + "\"}",
       {});
  const auto story = get("/api/v1/correlations/" + id);
  EXPECT_THAT(story, HasSubstr(R"("event_count":2)"));
}

TEST_F(whole_threads, ASendersIdLeadsToItsThreadWhateverCameFirst) {
  start();
  const std::string id = "0190c8a5-0000-7000-8000-000000000042";
  const std::string trace =
      R"("metadata":{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-)"
      R"(b7ad6b7169203331-01"})";
  post("/events", R"({"event_type":"a",)" + trace + '}', {});
  get("/api/v1/correlations/" + id, 404);
  post("/events",
       R"({"event_type":"b","correlation_id":")" + id + R"(",)" + trace + '}',
       {});
  EXPECT_THAT(get("/api/v1/correlations/" + id),
              HasSubstr(R"("event_count":2)"));
  const auto found = get("/api/v1/events?correlation_id=" + id);
  EXPECT_THAT(found, HasSubstr(R"("event_type":"a")"));
  EXPECT_THAT(found, HasSubstr(R"("event_type":"b")"));
}

// Whoever sees a part only learns by no name that there is something else.
TEST_F(whole_threads, ANameOfWhatIsHiddenLeadsNowhere) {
  start();
  github("pull_request", pull_request, "d-1");
  post("/linear/events", issue,
       {{"Linear-Delivery", "d-3"}, {"Linear-Event", "Issue"}});
  hub_.reset();
  store_options where;
  where.url = settings_.store.url;
  const auto on = *open_store(where);
  const auto threads = on->open_threads();
  const auto session = on->open_session();
  const auto log = session->read_after(0, 10, 1 << 20);
  ASSERT_TRUE(log && log->events.size() >= 2);
  const auto& shown = *log->events[0];
  const auto& hidden = *log->events[1];
  const auto thread = shown.correlation_id;
  ASSERT_TRUE(thread);
  ASSERT_EQ(hidden.correlation_id, thread);
  filter tenant;
  tenant.source_names = {"octo/*"};
  const auto found = [&](const std::string& which) {
    return *find_visible_thread(*threads, which, tenant);
  };
  for (const auto* which : {"octo/repo#12", "1a2b3c4d", "eng-42"})
    EXPECT_EQ(found(which), thread) << which;
  EXPECT_EQ(found(to_string(shown.id)), thread);
  EXPECT_EQ(found(to_string(*thread)), thread);
  const std::string linear_id =
      "linear:id:0b8f4bd0-6f4e-4c1b-8a57-0f9b8a5f8c11";
  EXPECT_EQ(*find_thread(*threads, linear_id), thread);
  EXPECT_EQ(found(linear_id), uuid{});
  EXPECT_EQ(found(to_string(hidden.id)), uuid{});
  EXPECT_FALSE(found("ENG-43"));
  EXPECT_FALSE(found("0190c8a5-0000-7000-8000-000000000042"));
}

TEST_F(whole_threads, ARuleThatIsAFunctionAndOneThatThrows) {
  settings_.correlation.max_failures = 3;
  own_rule_ = [](const event& ev) -> std::string {
    if (ev.event_type == "bad")
      throw std::runtime_error{"on purpose"};
    return "kind:" + ev.event_type;
  };
  start();
  post("/events", R"({"event_type":"good","payload":{}})", {});
  EXPECT_THAT(get("/api/v1/correlations/kind:good"),
              HasSubstr(R"("event_count":1)"));
  for (int i = 0; i < 3; ++i)
    post("/events", R"({"event_type":"bad","payload":{}})", {});
  const auto figures = get("/metrics");
  EXPECT_THAT(figures, HasSubstr("eventweft_correlation_rule_failures_total"
                                 "{rule=\"build\"} 3"));
  EXPECT_THAT(figures, HasSubstr("eventweft_correlation_rules_disabled 1"));
  // Out of use from now on.
  post("/events", R"({"event_type":"late","payload":{}})", {});
  get("/api/v1/correlations/kind:late", 404);
}

} // namespace
} // namespace eventweft

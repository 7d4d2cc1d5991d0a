//! Ordinary words of five to eight letters that look like a slip of another: "trail" is no "trial", "filed" no "filled".
//!
//! Only such words are here, in pairs or families one slip apart; a word that no other comes near needs no protection,
//! nor does one that the rules themselves know. No dictionary, and nothing to do with what a word means.

/// Lower case, in alphabetical order.
const ORDINARY: &str = "\
    acute angel angels angle angles annals annual annul asses assess baled bales baling balled balling balls \
    bared barely baring barley baron barred barren barring bases basis basses bated bating batted batting beast \
    beats bellow bellows below bidding biding biter bitter bleed boast boats bonny booth brain brains breed \
    brian bridal bridle brunt burnt buses busing busses calms caned caning canned canning cannon cannons canon \
    canons caper career carer cares caress carted carve carved carves casual casually causal causally center \
    centre chili chilli choose choosing chose clams coast coats comet comma commas cooped cooping coped coper \
    coping copper copping coral corral crated crave craved craves cures curry curse cuter cutter dairy desert \
    deserts dessert desserts diary dined diner diners dining dinner dinners doles dolls doted dotted droop \
    drooped drooping dropped dropping dully eager exist exits feast feats field fields fiend filed files filet \
    filing filled fillet filling fills fined fired fires forth freed fried fries froth funny furry gaped gapped \
    gases gasses goggle google griped griping gripped gripping hater hatter hidden hiding holly hooped hooping \
    hoped hoping hopped hopping inner ladder laser lasers later latte latter leader lessen lesson liter litre \
    litres litter looped looper looping loose looses loosing loped loping loser loses losing losses lotus louts \
    males malls manner manor marital marry martial mated mater mating matted matter matting medal medals meddle \
    meeting meets meter meters meting metre metres miles milled mills moped moping mopped mopping moral morale \
    mules mulls muter mutter needles needless noose paged pages paled paling palled palling pasty patsy pedal \
    pedals pedant peddle penny perfect petal petals piled piles pills pined pining pinned pinning planed planer \
    planing planned planner planning plated platted plied poled poles poling polled polling polls pooled \
    pooling pools posses possess prefect princes princess puling pulling quiet quite raccoon racoon raged \
    ragged raging rapper rated rating ratting reefs retired retried ridding riding riffle rifle riper ripper \
    roast robbed robbing robed robing roles rolls roots rudder ruder rules sacred satin scared scares scaring \
    scarred scarring scraped scraping scrapped shined shining shinned shoot shoots shots siding signed signing \
    signs silver singed singing sings sites siting sitting slated slatted sleep sliver sloped slopped speed \
    spilt spiting spitting split stage stain stared stares staring starred starring stars steep steeped steeps \
    stepped steps sties stoop stooped stooping stopped stopping striped striping stripped strops super supers \
    supper suppers tanner taped taper tapers taping tapped tapper tapping tater tatter teens their there three \
    tiers tiger tiled tiles tiling tilled tilling tills timer timers tinny tired tires toady toast today tolled \
    tooled tools trail trails trial trials tried tries trimmer unite united units untie untied viper wadding \
    wading waged wager wagged wagging waging waist waits wedded wedding weeded weeding whine whinny whiny wiles \
    wills wined wining winning wiper";

/// Whether it is one of them.
pub fn is_ordinary(word: &str) -> bool {
    ORDINARY.split_ascii_whitespace().any(|ordinary| ordinary == word)
}

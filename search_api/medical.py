"""Questions that ask for personal medical advice, which plans cannot and must not answer.

What tells them is a person ("I", "my daughter") together with a treatment, a symptom or a
diagnosis to be judged. Asking where there is help, or what someone is entitled to, is a question
about services and is answered.
"""

import re

REASON = (
    "This asks for medical advice about a person, which this service does not give: it searches "
    "plans and strategies. Ask a pharmacist or GP, use 111.nhs.uk or call NHS 111, and in an "
    "emergency call 999; www.nhs.uk explains conditions and medicines."
)
ONE = (
    r"(?:i|we|he|she|they|(?:my|our) (?:\w+[\s-]){0,2}?(?:son|daughter|child|children|kids?|baby|toddler"
    r"|mum|mam|mother|dad|father|wife|husband|partner|nan|gran|granny|grandad|grandmother|grandfather"
    r"|brother|sister|boy|girl|teenager|newborn|infant|friend|boyfriend|girlfriend))"
)
BODY = (
    r"(?:head|chest|back|stomach|tummy|leg|arm|knee|hip|foot|feet|toe|hand|wrist|shoulder|neck|throat"
    r"|ear|eye|tooth|teeth|gum|skin|heart|breast|bowel|bladder|ankle|finger|mole|nose)s?"
)
SYMPTOM = (
    r"(?:pain(?:s|ful)?|ache|aches|aching|hurt|hurts|sore|swollen|swelling|bleeding|rash|fever|temperature"
    r"|cough(?:ing)?|dizzy|faint(?:ed|ing)?|sick|vomiting|diarrhoea|constipat\w+|itch\w*|lump|numb"
    r"|burn(?:t|ed)?|infected|seizure|palpitations?|breathless|wheez\w+|headaches?|migraines?|swallowed"
    r"|overdose[d]?|blood pressure|discharge from|cramps?|nausea|spots?|wound|bruis\w+|bitten|stung)"
)
DRUG = (
    r"(?:\w+(?:cillin|codone|profen|statin|pril|sartan|olol|azole|oxetine|pezil|formin|mycin|codeine|pam"
    r"|triptan|tidine|prazole|dipine|sone|semide|ine hydrochloride)|codeine|morphine|paracetamol|aspirin"
    r"|insulin|naproxen|calpol|nurofen|melatonin|ritalin|antihistamines?|antibiotics?|antidepressants?|painkillers?|steroids?|warfarin|sertraline|citalopram"
    r"|tablets?|pills?|medication|medicine|dose|inhaler|vitamins?|supplements?|contraceptive|hrt"
    r"|vaccine|jab|ozempic|wegovy|mounjaro|statins?)"
)
TREAT = (
    r"(?:take|taking|stop(?:ping)?|start(?:ing)?|mix|eat|drink|use|apply|put|dress|treat|give|have|increase"
    r"|double|halve|skip|miss|swap|combine|drive|fly|exercise|get (?:rid|tested|pregnant)|be worried"
    r"|worry|see a doctor|go to (?:a ?&? ?e|hospital|casualty)|call (?:999|an ambulance|111))"
)
SERVICE = re.compile(
    r"\b(?:entitled|eligible|referr?al|referred|refer|services?|clinics?|groups?|hubs?|support|drop[ -]in"
    r"|council|apply for|respite|plans?|strateg\w+|locally|local|waiting lists?|assessment|allowance"
    r"|where (?:can|do|could)|is there (?:any|some)\w*|who (?:can|do|should) (?:i|we) (?:contact|ask|ring))\b",
    re.IGNORECASE,
)
ADVICE = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?:can|could|should|may|must|shall|do|need) {ONE} (?:\w+ )?{TREAT}\b.*\b{DRUG}\b",
        rf"\b(?:can|could|should|may|is it (?:safe|ok|okay|all right|fine)) .{{0,25}}\b{ONE}\b.{{0,60}}"
        rf"\b(?:{DRUG}|{SYMPTOM}|operation|surgery|gastric|pregnan\w+)\b",
        rf"\bis it (?:safe|ok|okay|all right|fine|normal|dangerous)\b.{{0,60}}\b(?:{DRUG}|{SYMPTOM}|pregnan\w+)\b",
        rf"\b(?:should|must) (?:i|we) (?:have|get|stop|start|take|be|see|go|call|ring|worry)\b"
        rf".{{0,60}}\b(?:band|operation|surgery|scan|test|{DRUG}|{SYMPTOM}|doctor|a ?& ?e|999|ambulance)\b",
        rf"\b(?:i|{ONE}) (?:have|has|had|feel|feels|keep|keeps|got|gets|am|is|weigh|hurt|swallowed|fell|cut)\b"
        rf".{{0,80}}\b(?:{SYMPTOM}|stone|kg|bmi)\b.*(?:\?|what|should|can|could|how)",
        rf"\b{ONE} has (?:just )?(?:a|an|swallowed|been|got)\b.{{0,60}}\b(?:{SYMPTOM}|{BODY})\b",
        rf"\bmy {BODY} (?:is|are|has|have|hurts?|aches?|feels?)\b",
        r"\b(?:pain|ache|lump|rash|swelling|numbness|tingling) (?:in|on|under) my\b",
        r"\bhow (?:do|should|can|could) (?:i|we) (?:treat|dress|cure|ease|relieve|get rid of|stop|bring down)\b",
        rf"\bhow (?:much|many|often) (?:\w+ ){{0,3}}(?:can|should|may|do) (?:i|{ONE}) (?:take|give|have|use|inject)\b",
        rf"\bwhat (?:dose|should (?:i|{ONE}) (?:take|do|give))\b.*\b(?:{SYMPTOM}|{DRUG}|{BODY})\b",
        rf"\b(?:is|are|could|might|does|has|have) (?:my |(?!we\b|they\b){ONE}\b).{{0,40}}\b(?:autistic|adhd|depressed|anorexic"
        rf"|diabetic|dementia|cancer|cancerous|infected|broken|serious|normal|contagious|a stroke"
        rf"|a heart attack|{SYMPTOM})\b",
        r"\b(?:do|could|might|have) i (?:have|got|be having)\b.{0,40}\b(?:cancer|dementia|diabetes|adhd|autism"
        r"|asthma|covid|depression|an? \w+ (?:attack|infection|disorder))\b",
        r"\bam i (?:having|pregnant|depressed|autistic|diabetic|at risk|going to die|dying|ill|contagious)\b",
        rf"\b{ONE} (?:won't stop|will not stop|keeps?|can't|cannot)\b.{{0,60}}\b{SYMPTOM}\b",
        rf"\bside effects? of\b|\bwhat (?:dose|dosage)\b|\b(?:dose|dosage) of {DRUG}\b",
        rf"\b(?:can|could|should) {ONE} have an? (?:\w+ ){{0,3}}(?:scan|mri|operation|transplant|pacemaker)\b",
        rf"\bwhy (?:do|does|am|is|are|have|has) (?:i|my|{ONE})\b.{{0,60}}\b(?:{SYMPTOM}|{BODY}|tired|snoring)\b",
        rf"\b(?:can|could|should|may) i give {ONE}\b",
        rf"\b(?:what|which) {DRUG} (?:can|should|may|could) (?:i|we|{ONE})\b",
        r"\b(?:do|should) (?:i|we) need (?:to see|an?|to have)\b.{0,30}\b(?:doctor|antibiotics?|x-?ray|blood test)\b",
        r"\bwhat does (?:my|a|this) .{0,40}\b(?:result|reading|level|score|lump|rash) mean\b",
        rf"\b(?:does|will|would) {DRUG} (?:\w+ ){{0,3}}(?:work|help|interact|make me|affect)\b.{{0,40}}\b(?:i|me|my)\b",
        r"\bswallowed\b.*\b(?:battery|magnet|bleach|tablets?|coin|pills?)\b",
    )
)


def is_personal_medical(text: str) -> bool:
    """Whether a question asks for medical advice about a person."""
    plain = " ".join(text.replace("’", "'").split())
    if SERVICE.search(plain):
        return False
    return any(pattern.search(plain) for pattern in ADVICE)

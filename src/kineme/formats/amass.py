from kineme.formats.options import Format
FORMAT=Format("amass",(".npz",),"",None,None,lambda p,h:False)
